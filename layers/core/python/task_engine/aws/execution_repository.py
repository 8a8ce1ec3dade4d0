"""Executions of tasks: admitted once, finished once."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from task_engine.aws.admission import Admission, Occurrence
from task_engine.aws.dynamo import Dynamo, Query, Update
from task_engine.aws.execution_codec import (
    NO_RECORD,
    OPEN_SHARDS,
    execution_from_item,
    open_shard,
    record_from_json,
)
from task_engine.aws.execution_endings import Ending, ExecutionEndings
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.page_range import PageRange
from task_engine.aws.stored import readable, reading
from task_engine.aws.task_codec import task_key
from task_engine.config import Settings
from task_engine.errors import ConditionFailed, Conflict, NotFound
from task_engine.ids import is_id, smallest_id
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.paging import Page, PageRequest, page_of
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerRecord
from task_engine.run.ports import Run
from task_engine.services.ports import Admitted, OccurrenceLife


class ExecutionRepository:
    """Implements Executions and ExecutionStore."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings
        self._endings = ExecutionEndings(dynamo, packer, settings)
        self._admission = Admission(dynamo, packer, settings)

    def admit(
        self,
        task: Task,
        occurrence: str,
        execution_id: str,
        record: TriggerRecord,
        now_ms: int,
        life: OccurrenceLife,
    ) -> Admitted:
        """Guard, budget, cooldown, index and pending execution in one transaction."""
        firing = Occurrence(f"{task.id}/{occurrence}", execution_id, record, now_ms, life)
        answer = self._admission.admit(task, firing)
        if isinstance(answer, Execution):
            return Admitted(answer, duplicate=False)
        execution = self.get(task.id, answer)
        if execution is None:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        # An answer that was lost on the way: the write that stands is this very one.
        return Admitted(execution, duplicate=answer != execution_id)

    def get(self, task_id: str, execution_id: str) -> Execution | None:
        """One consistent read, none for what can't be ids: a key has a bounded length."""
        if not (is_id(task_id) and is_id(execution_id)):
            return None
        item = self._dynamo.get(self._table, {"taskId": task_id, "id": execution_id})
        return None if item is None else self._execution(item)

    def orphan(self, task_id: str, occurrence: str, said_at: int, ttl_seconds: int) -> bool:
        """One write on the occurrence's name, one on its execution."""
        update = Update(
            self._settings.name("TABLE_GUARDS"),
            {"name": f"{task_id}/{occurrence}"},
            "SET #orphanedAt = :said, #expiresAt = if_not_exists(#expiresAt, :until)",
            {"said": said_at, "until": said_at // 1000 + ttl_seconds},
            "attribute_not_exists(#saidAt) OR #saidAt <= :said",
        )
        try:
            execution_id = self._dynamo.update(update, "ALL_NEW").get("executionId")
        except ConditionFailed:
            return False
        if execution_id is None:
            return False
        return self._set_orphaned(task_id, execution_id, said_at)

    def unorphan(self, execution: Execution, occurrence: str, said_at: int) -> None:
        """One write on the occurrence's name, and one on its execution where that was marked."""
        update = Update(
            self._settings.name("TABLE_GUARDS"),
            {"name": f"{execution.task_id}/{occurrence}"},
            "SET #saidAt = :said",
            {"said": said_at},
            # The same again too: it may have been cut off before the second write.
            "attribute_exists(#executionId)"
            " AND (attribute_not_exists(#saidAt) OR #saidAt <= :said)",
        )
        try:
            guard = self._dynamo.update(update, "ALL_NEW")
        except ConditionFailed:
            return
        if 0 < guard.get("orphanedAt", 0) < said_at:
            self._set_orphaned(execution.task_id, execution.id, 0)

    def _set_orphaned(self, task_id: str, execution_id: str, said_at: int) -> bool:
        update = Update(
            self._table,
            {"taskId": task_id, "id": execution_id},
            "SET #orphanedAt = :said",
            {"said": said_at},
            "attribute_exists(#id)",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return False
        return True

    def page(self, task_ids: Sequence[str], page: PageRequest) -> Page[Execution]:
        """Merged over the tasks' partitions, each read no further than the page needs."""
        span = PageRange(page, newest_first=True)
        streams = [self._stream(task_id, span) for task_id in task_ids]
        merged = heapq.merge(*streams, key=lambda item: str(item["id"]), reverse=span.descending)
        items, more = span.cut(merged, "id")
        found = page_of(page, items, more, lambda item: str(item["id"]))
        return found.with_rows(readable(items, self._execution))

    def _stream(self, task_id: str, span: PageRange) -> Iterator[Item]:
        query = Query(
            self._table,
            "#taskId = :task AND #id BETWEEN :low AND :high",
            {"task": task_id, "low": span.low, "high": span.high},
            descending=span.descending,
            consistent=True,
            limit=span.reads,
        )
        return self._dynamo.rows(query)

    def count(self, owner: str, task_ids: Sequence[str]) -> int:
        """From the tasks' own counters; those of deleted tasks are counted one by one."""
        table = self._settings.name("TABLE_TASKS")
        keys = [{"owner": owner, "sk": task_key(task_id)} for task_id in task_ids]
        found = self._dynamo.batch_get({table: keys}, ("id", "executionCount"))[table]
        known = {str(item["id"]) for item in found}
        total = sum(int(item["executionCount"]) for item in found)
        for task_id in (task_id for task_id in task_ids if task_id not in known):
            total += self._dynamo.count(
                Query(
                    self._table,
                    "#taskId = :task",
                    {"task": task_id, "owner": owner},
                    filter="#owner = :owner",
                )
            )
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
            rows = islice(self._dynamo.rows(query), limit)
            found += readable(rows, self._execution)
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
        self._endings.finish(run, Ending(status, error, skipped, now_ms))
        return self._stands(run)

    def refuse(self, run: Run, reason: str, now_ms: int) -> tuple[Execution, Task | None]:
        """As finishing: a second call changes nothing."""
        paused = self._endings.refuse(run, reason, now_ms)
        return self._stands(run), paused

    def _stands(self, run: Run) -> Execution:
        execution = self.get(run.task_id, run.execution_id)
        if execution is None:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        return execution

    def reopen(self, execution: Execution, now_ms: int) -> Execution:
        """One conditional write: of two at once the first one counts."""
        update = Update(
            self._table,
            {"taskId": execution.task_id, "id": execution.id},
            "SET #status = :pending, #resumes = :resumes, #resumedAt = :now, #openShard = :shard "
            "REMOVE #endAt, #error, #skipped",
            {
                "pending": ExecutionStatus.PENDING.value,
                "resumes": execution.resumes + 1,
                "now": now_ms,
                "shard": open_shard(execution.id),
                "before": execution.status.value,
                "known": execution.resumes,
                "none": 0,
            },
            "#status = :before AND (#resumes = :known "
            "OR (attribute_not_exists(#resumes) AND :known = :none))",
        )
        try:
            return self._execution(self._dynamo.update(update, "ALL_NEW"))
        except ConditionFailed as error:
            raise Conflict("the execution changed meanwhile", code="EXECUTION_CHANGED") from error

    def _execution(self, item: Item) -> Execution:
        with reading("execution"):
            return execution_from_item(item, record_from_json(self._packer.unpack(item["trigger"])))

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_EXECUTIONS")
