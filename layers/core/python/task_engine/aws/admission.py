"""Admission of a firing: deduped, paid from the budget, numbered and recorded, or none of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from task_engine.aws.check_writes import CheckWrites, rechecked
from task_engine.aws.dynamo import Dynamo, Put, Update
from task_engine.aws.execution_codec import context_to_json, open_shard, record_to_json
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item, from_item
from task_engine.aws.packed import Packer
from task_engine.aws.repeating import pause
from task_engine.aws.task_codec import task_from_item, task_key
from task_engine.config import Settings
from task_engine.errors import NotFound, PreconditionFailed, Unavailable
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerRecord
from task_engine.services.ports import OccurrenceLife

# Each try reads the task's counter anew: of n firings at once at least one gets through a round.
_TRIES = 60
_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One firing: the name of its occurrence, and the execution that it would start."""

    name: str
    execution_id: str
    record: TriggerRecord
    now_ms: int
    life: OccurrenceLife


class Admission:
    """The transaction of tasks, executions and guards."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings
        self._checks = CheckWrites(settings)

    def admit(self, task: Task, occurrence: Occurrence) -> Execution | str:
        """The new pending execution, or the id of the one that the occurrence has already.

        Raises PreconditionFailed, NotFound, or Unavailable when the contention does not end.
        """
        document = record_to_json(occurrence.record)
        trigger = self._packer.pack(document, f"triggers/{occurrence.execution_id}")
        current = task
        for attempt in range(_TRIES):
            refusal = _refusal(current, occurrence)
            if refusal is not None:
                return self._known(occurrence, refusal)
            execution = _pending(current, occurrence)
            try:
                self._dynamo.transact(self._writes(current, occurrence, execution, trigger))
            except TransactionCanceled as error:
                first = error.item(0)
                if error.reasons[0] == _FAILED and first:
                    return _of_guard(from_item(first))
            else:
                return execution
            pause(min(attempt, 4))
            current = self._current(task)
        raise Unavailable("too many triggers of this workflow at once: try again")

    def _writes(
        self,
        task: Task,
        occurrence: Occurrence,
        execution: Execution,
        trigger: bytes | dict[str, str],
    ) -> list[Put | Update]:
        after = _after(task, occurrence)
        last = [] if after.watched else self._checks.of_task(after, occurrence.now_ms)
        return [
            self._guard(occurrence),
            _count(self._settings.name("TABLE_TASKS"), task, after),
            Put(
                self._settings.name("TABLE_EXECUTIONS"),
                _item(execution, trigger),
                "attribute_not_exists(#id)",
            ),
            *last,
        ]

    def _guard(self, occurrence: Occurrence) -> Put:
        now = occurrence.now_ms // 1000
        return Put(
            self._settings.name("TABLE_GUARDS"),
            {
                "name": occurrence.name,
                "executionId": occurrence.execution_id,
                "expiresAt": now + occurrence.life.ttl_seconds,
                **({"saidAt": occurrence.life.said_at} if occurrence.life.said_at else {}),
            },
            "attribute_not_exists(#name) OR #expiresAt < :now"
            " OR (attribute_not_exists(#executionId) AND #orphanedAt < :said)",
            {"now": now, "said": occurrence.life.said_at},
        )

    def _known(self, occurrence: Occurrence, refusal: str) -> str:
        """A task that can't run answers an occurrence that it has run already."""
        guard = self._dynamo.get(self._settings.name("TABLE_GUARDS"), {"name": occurrence.name})
        if guard is None or int(guard["expiresAt"]) < occurrence.now_ms // 1000:
            raise PreconditionFailed(
                f"the workflow can't run: it is {refusal}", code=_CODES.get(refusal)
            )
        return _of_guard(guard)

    def _current(self, task: Task) -> Task:
        key = {"owner": task.owner, "sk": task_key(task.id)}
        item = self._dynamo.get(self._settings.name("TABLE_TASKS"), key)
        if item is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        return task_from_item(item, self._packer)


_COOLING = "cooling down"
_CODES = {_COOLING: "TASK_COOLING_DOWN"}


def _refusal(task: Task, occurrence: Occurrence) -> str | None:
    cooling = occurrence.life.cooldown_ms > 0 and occurrence.now_ms < task.cooled_until
    return task.refusal(occurrence.now_ms) or (_COOLING if cooling else None)


def _of_guard(guard: Item) -> str:
    """The execution of a known occurrence."""
    if "executionId" not in guard:
        raise PreconditionFailed("its block has left the chain", code="OCCURRENCE_ORPHANED")
    return str(guard["executionId"])


def _after(task: Task, occurrence: Occurrence) -> Task:
    """The task with one run more; its check is gone when that was the last."""
    now = occurrence.now_ms
    after = replace(task, execution_count=task.execution_count + 1, last_ran_at=now)
    if occurrence.life.cooldown_ms > 0:
        after = replace(after, cooled_until=now + occurrence.life.cooldown_ms)
    return rechecked(after, now) if task.watched and not after.watched else after


def _count(table: str, task: Task, after: Task) -> Update:
    """Only from the count that was read: nothing that hangs on it can have changed meanwhile."""
    sets = ["#executionCount = :next", "#lastRanAt = :now"]
    values: dict[str, object] = {
        "next": after.execution_count,
        "now": after.last_ran_at,
        "before": task.execution_count,
        "status": task.status.value,
    }
    condition = "#executionCount = :before AND #status = :status"
    if after.cooled_until != task.cooled_until:
        sets.append("#cooledUntil = :cooled")
        values["cooled"] = after.cooled_until
    if after.check_version != task.check_version:
        sets.append("#checkVersion = :check")
        values["check"] = after.check_version
    if task.check_version:
        condition += " AND #checkVersion = :known"
        values["known"] = task.check_version
    key = {"owner": task.owner, "sk": task_key(task.id)}
    return Update(table, key, f"SET {', '.join(sets)}", values, condition)


def _pending(task: Task, occurrence: Occurrence) -> Execution:
    return Execution(
        id=occurrence.execution_id,
        task_id=task.id,
        owner=task.owner,
        index=task.execution_count,
        status=ExecutionStatus.PENDING,
        trigger=occurrence.record,
        context=RunContext(
            status=task.status.value.capitalize(),
            execution_count=task.execution_count + 1,
            last_ran_at=task.last_ran_at,
            completed_at=task.completed_at,
        ),
        start_at=occurrence.now_ms,
        plan_version=task.version,
    )


def _item(execution: Execution, trigger: bytes | dict[str, str]) -> Item:
    return {
        "taskId": execution.task_id,
        "id": execution.id,
        "owner": execution.owner,
        "index": execution.index,
        "status": execution.status.value,
        "trigger": trigger,
        "context": context_to_json(execution.context),
        "startAt": execution.start_at,
        "planVersion": execution.plan_version,
        "openShard": open_shard(execution.id),
    }
