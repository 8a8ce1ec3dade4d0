"""Executions of tasks: admitted once, finished once."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace

from task_engine.aws.dynamo import Dynamo, Put, Query, Update
from task_engine.aws.execution_codec import (
    NO_RECORD,
    OPEN_SHARDS,
    context_to_json,
    execution_from_item,
    open_shard,
    record_from_json,
    record_to_json,
)
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.repeating import pause, repeated
from task_engine.aws.task_codec import task_from_item, task_key
from task_engine.aws.task_repository import count_update, status_update
from task_engine.config import Settings
from task_engine.errors import NotFound, PreconditionFailed, Unavailable
from task_engine.ids import smallest_id
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.paging import Page, PageRequest, page_of
from task_engine.model.task import CompletionReason, Task, TaskStatus
from task_engine.model.trigger import TriggerRecord
from task_engine.run.ports import Run
from task_engine.services.ports import Admitted

# Each try reads the task's counter anew: of n triggers at once at least one gets through a round.
_ADMIT_TRIES = 60
_FAILED = "ConditionalCheckFailed"


class ExecutionRepository:
    """Implements Executions and ExecutionStore."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings

    def admit(
        self,
        task: Task,
        occurrence: str,
        execution_id: str,
        record: TriggerRecord,
        now_ms: int,
        occurrence_ttl_seconds: int,
    ) -> Admitted:
        """Guard, budget, index and pending execution in one transaction."""
        name = f"{task.id}/{occurrence}"
        guard = {
            "name": name,
            "executionId": execution_id,
            "expiresAt": now_ms // 1000 + occurrence_ttl_seconds,
        }
        packed = self._packer.pack(record_to_json(record), f"triggers/{execution_id}")
        current = task
        for attempt in range(_ADMIT_TRIES):
            refusal = current.refusal(now_ms)
            if refusal is not None:
                return self._known(current, name, refusal)
            execution = _pending(current, execution_id, record, now_ms)
            try:
                self._dynamo.transact(
                    self._admission(current, execution, guard, packed),
                    token=f"{execution_id}{attempt:02d}",
                )
            except TransactionCanceled as error:
                first = error.item(0)
                if error.reasons[0] == _FAILED and first:
                    return self._duplicate(task, str(first["executionId"]["S"]), execution_id)
            else:
                return Admitted(execution, duplicate=False)
            pause(min(attempt, 4))
            current = self._current(task)
        raise Unavailable("too many triggers of this workflow at once: try again")

    def _admission(
        self, task: Task, execution: Execution, guard: Item, packed: bytes | dict[str, str]
    ) -> list[Put | Update]:
        return [
            Put(
                self._settings.name("TABLE_GUARDS"),
                guard,
                "attribute_not_exists(#name) OR #expiresAt < :now",
                {"now": execution.start_at // 1000},
            ),
            Update(
                self._settings.name("TABLE_TASKS"),
                {"owner": task.owner, "sk": task_key(task.id)},
                "SET #executionCount = :next, #lastRanAt = :now",
                {
                    "next": task.execution_count + 1,
                    "now": execution.start_at,
                    "before": task.execution_count,
                    "status": task.status.value,
                },
                "#executionCount = :before AND #status = :status",
            ),
            Put(
                self._settings.name("TABLE_EXECUTIONS"),
                {
                    "taskId": execution.task_id,
                    "id": execution.id,
                    "owner": execution.owner,
                    "index": execution.index,
                    "status": execution.status.value,
                    "trigger": packed,
                    "context": context_to_json(execution.context),
                    "startAt": execution.start_at,
                    "planVersion": execution.plan_version,
                    "openShard": open_shard(execution.id),
                },
                "attribute_not_exists(#id)",
            ),
        ]

    def _known(self, task: Task, name: str, refusal: str) -> Admitted:
        """A task that can't run answers an occurrence that it has run already."""
        guard = self._dynamo.get(self._settings.name("TABLE_GUARDS"), {"name": name})
        if guard is None:
            raise PreconditionFailed(f"the workflow can't run: it is {refusal}")
        return self._duplicate(task, str(guard["executionId"]), "")

    def _duplicate(self, task: Task, first_id: str, own_id: str) -> Admitted:
        execution = self.get(task.id, first_id)
        if execution is None:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        # An answer that was lost on the way: the write that stands is this very one.
        return Admitted(execution, duplicate=first_id != own_id)

    def _current(self, task: Task) -> Task:
        key = {"owner": task.owner, "sk": task_key(task.id)}
        item = self._dynamo.get(self._settings.name("TABLE_TASKS"), key)
        if item is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        return task_from_item(item, self._packer)

    def get(self, task_id: str, execution_id: str) -> Execution | None:
        """One consistent read."""
        item = self._dynamo.get(self._table, {"taskId": task_id, "id": execution_id})
        return None if item is None else self._execution(item)

    def page(self, task_ids: Sequence[str], page: PageRequest) -> Page[Execution]:
        """Merged over the tasks' partitions, each read no further than the page needs."""
        backward = page.after is None and page.before is not None
        bound = page.before if backward else page.after
        streams = [self._ids(task_id, bound, page.limit + 1, backward) for task_id in task_ids]
        merged = heapq.merge(*streams, key=lambda item: str(item["id"]), reverse=not backward)
        found = [item for _, item in zip(range(page.limit + 1), merged, strict=False)]
        rows = [self._execution(item) for item in found[: page.limit]]
        more = len(found) > page.limit
        return page_of(page, rows[::-1] if backward else rows, more, lambda row: row.id)

    def _ids(self, task_id: str, bound: str | None, limit: int, backward: bool) -> Iterator[Item]:
        condition = "#taskId = :task"
        if bound is not None:
            condition += " AND #id > :bound" if backward else " AND #id < :bound"
        values = {"task": task_id, **({"bound": bound} if bound is not None else {})}
        query = Query(
            self._table, condition, values, descending=not backward, consistent=True, limit=limit
        )
        return self._dynamo.rows(query)

    def count(self, owner: str, task_ids: Sequence[str]) -> int:
        """From the tasks' own counters."""
        table = self._settings.name("TABLE_TASKS")
        total = 0
        for start in range(0, len(task_ids), 100):
            keys = [{"owner": owner, "sk": task_key(i)} for i in task_ids[start : start + 100]]
            found = self._dynamo.batch_get({table: keys})
            total += sum(int(item["executionCount"]) for item in found[table])
        return total

    def since(self, task_ids: Sequence[str], since_ms: int) -> list[Execution]:
        """Without trigger data."""
        fields = ("id", "taskId", "owner", "index", "status", "startAt", "endAt")
        return [
            execution_from_item(item, NO_RECORD)
            for task_id in task_ids
            for item in self._dynamo.rows(
                Query(
                    self._table,
                    "#taskId = :task AND #id >= :since",
                    {"task": task_id, "since": smallest_id(max(0, since_ms))},
                    projection=fields,
                )
            )
        ]

    def open_before(self, before_ms: int, limit: int) -> list[Execution]:
        """Oldest first within each shard of the sparse index."""
        found: list[Execution] = []
        for shard in range(OPEN_SHARDS):
            query = Query(
                self._table,
                "#openShard = :shard AND #startAt < :before",
                {"shard": f"open#{shard}", "before": before_ms},
                index="open",
                limit=limit,
            )
            for _, item in zip(range(limit), self._dynamo.rows(query), strict=False):
                found.append(self._execution(item))
        return sorted(found, key=lambda execution: execution.start_at)[:limit]

    def finish(
        self,
        run: Run,
        status: ExecutionStatus,
        error: str,
        skipped: tuple[str, ...],
        now_ms: int,
    ) -> Execution:
        """The execution's end, and its task's when this was its last run."""
        writes: list[Put | Update] = [self._end(run, status, error, skipped, now_ms)]
        writes += self._completion(run, now_ms)
        try:
            repeated(lambda: self._dynamo.transact(writes))
        except TransactionCanceled as canceled:
            if canceled.reasons[0] != _FAILED:
                # The task was changed meanwhile (paused, deleted): look again.
                return self.finish(run, status, error, skipped, now_ms)
        execution = self.get(run.task_id, run.execution_id)
        if execution is None:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        return execution

    def _end(
        self,
        run: Run,
        status: ExecutionStatus,
        error: str,
        skipped: tuple[str, ...],
        now_ms: int,
    ) -> Update:
        return Update(
            self._table,
            {"taskId": run.task_id, "id": run.execution_id},
            "SET #status = :status, #error = :error, #skipped = :skipped, #endAt = :now "
            "REMOVE #openShard",
            {
                "status": status.value,
                "error": error,
                "skipped": list(skipped),
                "now": now_ms,
                "pending": ExecutionStatus.PENDING.value,
                "waiting": ExecutionStatus.WAITING.value,
            },
            "#status IN (:pending, :waiting)",
        )

    def _completion(self, run: Run, now_ms: int) -> list[Put | Update]:
        """The task's completion when its budget is used up or its time is over."""
        table = self._settings.name("TABLE_TASKS")
        item = self._dynamo.get(table, {"owner": run.owner, "sk": task_key(run.task_id)})
        if item is None:
            return []
        task = task_from_item(item, self._packer)
        if task.status is not TaskStatus.ENABLED:
            return []
        reason = None
        if task.remaining_executions == 0:
            reason = CompletionReason.MAX_EXECUTIONS_REACHED
        if 0 < task.expired_at <= now_ms:
            reason = CompletionReason.EXPIRED
        if reason is None:
            return []
        done = replace(
            task, status=TaskStatus.COMPLETED, completed_at=now_ms, completion_reason=reason
        )
        return [status_update(table, task, done), count_update(table, run.owner, -1)]

    def _execution(self, item: Item) -> Execution:
        return execution_from_item(item, record_from_json(self._packer.unpack(item["trigger"])))

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_EXECUTIONS")


def _pending(task: Task, execution_id: str, record: TriggerRecord, now_ms: int) -> Execution:
    return Execution(
        id=execution_id,
        task_id=task.id,
        owner=task.owner,
        index=task.execution_count,
        status=ExecutionStatus.PENDING,
        trigger=record,
        context=RunContext(
            status=task.status.value.capitalize(),
            execution_count=task.execution_count + 1,
            last_ran_at=task.last_ran_at,
            completed_at=task.completed_at,
        ),
        start_at=now_ms,
        plan_version=task.version,
    )
