"""Ends of executions, and what they are to their tasks: both in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from task_engine.aws.check_writes import CheckWrites, rechecked
from task_engine.aws.dynamo import Dynamo, Put, Update
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.packed import Packer
from task_engine.aws.repeating import repeated
from task_engine.aws.stored import readable
from task_engine.aws.task_codec import task_from_item, task_key
from task_engine.aws.task_writes import count_update, status_update
from task_engine.config import Settings
from task_engine.model.execution import ExecutionStatus
from task_engine.model.task import MOST_FALSE_STARTS, CompletionReason, Task, TaskStatus
from task_engine.run.ports import Run

_FAILED = "ConditionalCheckFailed"
_LIVE = (TaskStatus.ENABLED, TaskStatus.DISABLED)
_WALKED = (ExecutionStatus.SUCCESS, ExecutionStatus.FAILED)
_DELETED = "VM execution error: its task was deleted or can't be read"
_PAUSED = "paused: {count} runs in a row could not begin: {reason}. Mend or replace it, then resume"


@dataclass(frozen=True, slots=True)
class Ending:
    """The final status of an execution, its error, the nodes left out, and when (ms)."""

    status: ExecutionStatus
    error: str
    skipped: tuple[str, ...]
    now_ms: int


# From the task as it stands, None when it is gone or can't be read: the ending, and the task after
# it.
_Decide = Callable[[Task | None], tuple[Ending, Task | None]]


class ExecutionEndings:
    """Ends executions once: whoever comes second changes nothing."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings
        self._checks = CheckWrites(settings)

    def finish(self, run: Run, ending: Ending) -> None:
        """Also completes the task when this was its last run; a whole walk ends its row of false
        starts."""

        def decide(task: Task | None) -> tuple[Ending, Task | None]:
            if task is None or ending.status not in _WALKED:
                return ending, task
            return ending, replace(task, false_starts=0, false_start="")

        self._end(run, decide)

    def refuse(self, run: Run, reason: str, now_ms: int) -> Task | None:
        """A false start: failed without a step, and counted by the task; the task when it is
        paused because of such. Once more changes nothing, and answers the same."""

        def decide(task: Task | None) -> tuple[Ending, Task | None]:
            if task is None:
                return Ending(ExecutionStatus.ERROR, _DELETED, (), now_ms), None
            return Ending(ExecutionStatus.FAILED, reason, (), now_ms), _refused(task, reason)

        after = self._end(run, decide)
        if after is None or after.status is not TaskStatus.DISABLED:
            return None
        return after if after.false_starts >= MOST_FALSE_STARTS else None

    def _end(self, run: Run, decide: _Decide) -> Task | None:
        """The task after it; as it stands when the execution had its end already."""
        task = self._task(run)
        ending, after = decide(task)
        writes = [self._ended(run, ending)]
        if task is not None and after is not None and task.status in _LIVE:
            after = _within_limits(after, ending.now_ms)
            writes += self._writes(task, after, ending.now_ms)
        try:
            repeated(lambda: self._dynamo.transact(writes))
        except TransactionCanceled as canceled:
            if canceled.reasons[0] == _FAILED:
                return task
            # The task was changed meanwhile (paused, deleted): look again.
            return self._end(run, decide)
        return after

    def _task(self, run: Run) -> Task | None:
        """None also when it can't be read: its runs end all the same."""
        table = self._settings.name("TABLE_TASKS")
        item = self._dynamo.get(table, {"owner": run.owner, "sk": task_key(run.task_id)})
        found = () if item is None else (item,)
        return next(readable(found, lambda row: task_from_item(row, self._packer)), None)

    def _writes(self, task: Task, after: Task, now_ms: int) -> list[Put | Update]:
        table = self._settings.name("TABLE_TASKS")
        if after.status is task.status:
            return [status_update(table, task, after)] if after != task else []
        after = rechecked(after, now_ms)
        writes: list[Put | Update] = [status_update(table, task, after)]
        if task.status is TaskStatus.ENABLED:
            writes.append(count_update(table, task.owner, -1))
        return [*writes, *self._checks.of_task(after, now_ms)]

    def _ended(self, run: Run, ending: Ending) -> Put | Update:
        return Update(
            self._settings.name("TABLE_EXECUTIONS"),
            {"taskId": run.task_id, "id": run.execution_id},
            "SET #status = :status, #error = :error, #skipped = :skipped, #endAt = :now "
            "REMOVE #openShard",
            {
                "status": ending.status.value,
                "error": ending.error,
                "skipped": list(ending.skipped),
                "now": ending.now_ms,
                "pending": ExecutionStatus.PENDING.value,
                "waiting": ExecutionStatus.WAITING.value,
            },
            "#status IN (:pending, :waiting)",
        )


def _within_limits(task: Task, now_ms: int) -> Task:
    """Completed when its budget is used up or its time is over."""
    reason = None
    if task.remaining_executions == 0:
        reason = CompletionReason.MAX_EXECUTIONS_REACHED
    if 0 < task.expired_at <= now_ms:
        reason = CompletionReason.EXPIRED
    if reason is None:
        return task
    return replace(task, status=TaskStatus.COMPLETED, completed_at=now_ms, completion_reason=reason)


def _refused(task: Task, reason: str) -> Task:
    """With one false start more; paused when it has had too many of them."""
    count = task.false_starts + 1
    counted = replace(task, false_starts=count, false_start=reason)
    if count < MOST_FALSE_STARTS or task.status is not TaskStatus.ENABLED:
        return counted
    return replace(
        counted, status=TaskStatus.DISABLED, note=_PAUSED.format(count=count, reason=reason)
    )
