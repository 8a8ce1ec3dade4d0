"""Tasks of owners, with the count that bounds their enabled ones."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from task_engine.aws.check_writes import CheckWrites, rechecked
from task_engine.aws.dynamo import Delete, Dynamo, Put, Query, Update
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.page_range import PageRange
from task_engine.aws.plan_repository import plan_key, plan_prefix
from task_engine.aws.repeating import repeated
from task_engine.aws.stored import readable
from task_engine.aws.task_codec import DUE_SHARDS, task_from_item, task_key, task_to_item
from task_engine.aws.task_writes import count_update, status_update
from task_engine.config import Settings
from task_engine.errors import Conflict, Corrupted, EngineError, QuotaExceeded
from task_engine.ids import is_id
from task_engine.model.codec import plan_to_json
from task_engine.model.paging import Page, PageRequest, page_of
from task_engine.model.plan import Plan
from task_engine.model.task import CompletionReason, Task, TaskStatus
from task_engine.services.ports import TaskFilter

_FAILED = "ConditionalCheckFailed"


class TaskRepository:
    """Implements Tasks."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings
        self._checks = CheckWrites(settings)

    def create(self, task: Task, plan: Plan, max_active: int) -> None:
        """Task, plan, count and check, all or nothing."""
        packed = self._packer.pack(plan_to_json(plan), f"plans/{task.id}/{task.version}")
        plan_item = {
            "owner": task.owner,
            "sk": plan_key(task.id, task.version),
            "plan": packed,
        }
        fresh = "attribute_not_exists(#sk)"
        writes: list[Put | Update | Delete] = [
            Put(self._table, task_to_item(task, self._packer), fresh),
            Put(self._table, plan_item),
            self._counted(task.owner, 1, max_active),
            *self._checks.of_task(task, task.created_at),
        ]
        try:
            repeated(lambda: self._dynamo.transact(writes))
        except TransactionCanceled as error:
            if error.reasons[0] == _FAILED:
                raise Conflict("this workflow exists", code="TASK_ALREADY_EXISTS") from error
            raise _quota(max_active) from error

    def get(self, owner: str, task_id: str) -> Task | None:
        """One consistent read, none for what can't be an id: a key has a bounded length."""
        if not is_id(task_id):
            return None
        item = self._dynamo.get(self._table, {"owner": owner, "sk": task_key(task_id)})
        return None if item is None else task_from_item(item, self._packer)

    def some(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Task]:
        """A call for each hundred; a task that can't be read is left out, `get` says why."""
        keys = [
            {"owner": owner, "sk": task_key(task_id)} for owner, task_id in dict.fromkeys(names)
        ]
        found: dict[tuple[str, str], Task] = {}
        for item in self._dynamo.batch_get({self._table: keys})[self._table] if keys else []:
            with suppress(EngineError):
                task = task_from_item(item, self._packer)
                found[task.owner, task.id] = task
        return found

    def page(self, owner: str, chosen: TaskFilter, page: PageRequest) -> Page[Task]:
        """Newest first; reads on until the page is full, so a filter never empties it early."""
        span = PageRange(page, "task#", newest_first=True, root="task#")
        query = self._query(
            owner,
            chosen,
            "#sk BETWEEN :low AND :high",
            {"low": span.low, "high": span.high},
            descending=span.descending,
        )
        items, more = span.cut(self._dynamo.rows(query), "sk")
        found = page_of(page, items, more, lambda item: str(item["id"]))
        return found.with_rows(readable(items, self._read))

    def count(self, owner: str, chosen: TaskFilter) -> int:
        """How many match."""
        condition = "begins_with(#sk, :edge)"
        return self._dynamo.count(self._query(owner, chosen, condition, {"edge": "task#"}))

    def set_status(
        self,
        task: Task,
        status: TaskStatus,
        now_ms: int,
        reason: CompletionReason | None = None,
        max_active: int = 0,
        note: str = "",
    ) -> Task:
        """Only from the status that `task` has."""
        enabled = status is TaskStatus.ENABLED
        changed = replace(
            rechecked(task, now_ms),
            status=status,
            completed_at=now_ms if status is TaskStatus.COMPLETED else task.completed_at,
            completion_reason=reason or task.completion_reason,
            note=note,
            false_starts=0 if enabled else task.false_starts,
            false_start="" if enabled else task.false_start,
        )
        writes: list[Put | Update | Delete] = [
            status_update(self._table, task, changed),
            *self._checks.of_task(changed, now_ms),
        ]
        step = (status is TaskStatus.ENABLED) - (task.status is TaskStatus.ENABLED)
        if step:
            writes.insert(1, self._counted(task.owner, step, max_active))
        try:
            repeated(lambda: self._dynamo.transact(writes))
        except TransactionCanceled as error:
            if error.reasons[0] == _FAILED:
                raise Conflict("the workflow was changed meanwhile") from error
            raise _quota(max_active) from error
        return changed

    def delete(self, owner: str, task_id: str, now_ms: int) -> None:
        """What hangs on the task goes first: an attempt that fails can be repeated."""
        state, secrets = "TABLE_TASK_STATE", "TABLE_SECRETS"
        self._delete_rows(state, "#taskId = :id", {"id": task_id}, ("taskId", "key"))
        self._delete_rows(
            secrets,
            "#owner = :owner AND begins_with(#sk, :prefix)",
            {"owner": owner, "prefix": f"workflow#{task_id}#"},
            ("owner", "sk"),
        )
        for row in self._delete_task(owner, task_id, now_ms):
            self._packer.discard(row.get("definition") or row.get("plan"))

    def _delete_task(self, owner: str, task_id: str, now_ms: int) -> list[Item]:
        """The rows of the task and its plans as they were."""
        key = {"owner": owner, "sk": task_key(task_id)}
        row = self._dynamo.get(self._table, key)
        if row is None:
            return []
        values = {"owner": owner, "prefix": plan_prefix(task_id)}
        condition = "#owner = :owner AND begins_with(#sk, :prefix)"
        plans = list(self._dynamo.rows(Query(self._table, condition, values, consistent=True)))
        same = Delete(self._table, key, "attribute_not_exists(#status)")
        if "status" in row:
            same = replace(same, condition="#status = :status", values={"status": row["status"]})
        writes: list[Put | Update | Delete] = [
            same,
            *(Delete(self._table, {"owner": owner, "sk": plan["sk"]}) for plan in plans),
            *self._unwatched(row, now_ms),
        ]
        if row.get("status") == TaskStatus.ENABLED.value:
            writes.append(self._counted(owner, -1, 0))
        try:
            repeated(lambda: self._dynamo.transact(writes))
        except TransactionCanceled as error:
            if error.reasons[0] != _FAILED:
                raise Conflict("the workflow is being changed: try again") from error
            return self._delete_task(owner, task_id, now_ms)
        return [row, *plans]

    def _unwatched(self, row: Item, now_ms: int) -> list[Put]:
        """The end of its check; of a row that can't be read nobody can tell which that is."""
        try:
            task = task_from_item(row, self._packer)
        except Corrupted:
            return []
        return self._checks.of_task(rechecked(task, now_ms), now_ms, deleted=True)

    def due_to_expire(self, now_ms: int, limit: int) -> list[Task]:
        """From the sparse index, shard by shard."""
        due: list[Task] = []
        for shard in range(DUE_SHARDS):
            query = Query(
                self._table,
                "#dueShard = :shard AND #expiredAt < :now",
                {"shard": f"due#{shard}", "now": now_ms},
                index="due",
            )
            for task in readable(self._dynamo.rows(query), self._read):
                due.append(task)
                if len(due) >= limit:
                    return due
        return due

    def _read(self, item: Item) -> Task:
        return task_from_item(item, self._packer)

    def _delete_rows(
        self, table: str, condition: str, values: dict[str, object], key: tuple[str, str]
    ) -> None:
        name = self._settings.name(table)
        rows = list(self._dynamo.rows(Query(name, condition, values, consistent=True)))
        self._dynamo.batch_delete(name, [{part: row[part] for part in key} for row in rows])
        for row in rows:
            self._packer.discard(row.get("value"))

    def _query(
        self,
        owner: str,
        chosen: TaskFilter,
        condition: str,
        values: dict[str, str],
        *,
        descending: bool = True,
    ) -> Query:
        wallets = {f"w{i}": wallet for i, wallet in enumerate(chosen.wallets)}
        statuses = {f"s{i}": status.value for i, status in enumerate(chosen.statuses)}
        clauses = []
        if wallets:
            clauses.append(_one_of("#wallet", list(wallets)))
        if statuses:
            clauses.append(_one_of("#status", list(statuses)))
        return Query(
            self._table,
            f"#owner = :owner AND {condition}",
            {"owner": owner, **values, **wallets, **statuses},
            filter=" AND ".join(clauses),
            descending=descending,
            consistent=True,
        )

    def _counted(self, owner: str, step: int, max_active: int) -> Update:
        return count_update(self._table, owner, step, max_active)

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_TASKS")


def _one_of(name: str, values: list[str]) -> str:
    """IN takes up to 100 values."""
    groups = [values[start : start + 100] for start in range(0, len(values), 100)]
    lists = [", ".join(f":{value}" for value in group) for group in groups]
    return f"({' OR '.join(f'{name} IN ({group})' for group in lists)})"


def _quota(max_active: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"an owner may have {max_active} enabled workflows: pause or delete one first"
    )
