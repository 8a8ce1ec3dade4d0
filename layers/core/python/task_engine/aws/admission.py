"""Admission of a firing: deduped, paid from the budget, numbered and recorded, or none of it."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.aws.dynamo import Dynamo, Put, Update
from task_engine.aws.execution_codec import context_to_json, open_shard, record_to_json
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.repeating import pause
from task_engine.aws.task_codec import task_from_item, task_key
from task_engine.config import Settings
from task_engine.errors import NotFound, PreconditionFailed, Unavailable
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerRecord

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
    ttl_seconds: int


class Admission:
    """The transaction of tasks, executions and guards."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings

    def admit(self, task: Task, occurrence: Occurrence) -> Execution | str:
        """The new pending execution, or the id of the one that the occurrence has already.

        Raises PreconditionFailed, NotFound, or Unavailable when the contention does not end.
        """
        document = record_to_json(occurrence.record)
        trigger = self._packer.pack(document, f"triggers/{occurrence.execution_id}")
        current = task
        for attempt in range(_TRIES):
            refusal = current.refusal(occurrence.now_ms)
            if refusal is not None:
                return self._known(occurrence, refusal)
            execution = _pending(current, occurrence)
            try:
                self._dynamo.transact(self._writes(current, occurrence, execution, trigger))
            except TransactionCanceled as error:
                first = error.item(0)
                if error.reasons[0] == _FAILED and first:
                    return str(first["executionId"]["S"])
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
        return [
            self._guard(occurrence),
            Update(
                self._settings.name("TABLE_TASKS"),
                {"owner": task.owner, "sk": task_key(task.id)},
                "SET #executionCount = :next, #lastRanAt = :now",
                {
                    "next": task.execution_count + 1,
                    "now": occurrence.now_ms,
                    "before": task.execution_count,
                    "status": task.status.value,
                },
                "#executionCount = :before AND #status = :status",
            ),
            Put(
                self._settings.name("TABLE_EXECUTIONS"),
                _item(execution, trigger),
                "attribute_not_exists(#id)",
            ),
        ]

    def _guard(self, occurrence: Occurrence) -> Put:
        now = occurrence.now_ms // 1000
        return Put(
            self._settings.name("TABLE_GUARDS"),
            {
                "name": occurrence.name,
                "executionId": occurrence.execution_id,
                "expiresAt": now + occurrence.ttl_seconds,
            },
            "attribute_not_exists(#name) OR #expiresAt < :now",
            {"now": now},
        )

    def _known(self, occurrence: Occurrence, refusal: str) -> str:
        """A task that can't run answers an occurrence that it has run already."""
        guard = self._dynamo.get(self._settings.name("TABLE_GUARDS"), {"name": occurrence.name})
        if guard is None or int(guard["expiresAt"]) < occurrence.now_ms // 1000:
            raise PreconditionFailed(f"the workflow can't run: it is {refusal}")
        return str(guard["executionId"])

    def _current(self, task: Task) -> Task:
        key = {"owner": task.owner, "sk": task_key(task.id)}
        item = self._dynamo.get(self._settings.name("TABLE_TASKS"), key)
        if item is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        return task_from_item(item, self._packer)


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
