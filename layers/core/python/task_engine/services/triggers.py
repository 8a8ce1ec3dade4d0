"""Firing a task: dedupe, budget and record in one step, then the queue or the walker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import Corrupted, InvalidRequest, NotFound, PreconditionFailed, Unavailable
from task_engine.ids import is_id, new_id
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerRecord
from task_engine.services.firing import Firing, trigger_record
from task_engine.services.ports import (
    Admitted,
    ExecutionQueue,
    Executions,
    OccurrenceLife,
    PlanReader,
    Tasks,
    Walker,
)

# Below the 29 seconds that API Gateway waits for an answer.
BLOCKING_SECONDS = 25.0
KEY_TTL_SECONDS = 86_400
OCCURRENCE_TTL_SECONDS = 7 * 86_400
"""Longer than the Scheduler and the queues may deliver one firing again."""

# About this occurrence, not about the task.
_OF_OCCURRENCES = frozenset({"TASK_COOLING_DOWN", "OCCURRENCE_ORPHANED"})
_REFUSALS = {
    "disabled": ("TASK_DISABLED", "the workflow is paused: resume it first"),
    "completed": ("TASK_ALREADY_COMPLETED", "the workflow is completed"),
    "failed": ("TASK_FAILED", "the workflow has failed"),
    "exhausted": ("TASK_EXHAUSTED", "all runs that maxExecution allows are used up"),
    "expired": ("TASK_EXPIRED", "the workflow has expired"),
    "not_started": ("TASK_NOT_STARTED", "the workflow's startAt has not come yet"),
}


@dataclass(frozen=True, slots=True)
class TriggerPorts:
    """What firing a task needs of the world."""

    tasks: Tasks
    executions: Executions
    plans: PlanReader
    queue: ExecutionQueue
    walker: Walker


class TriggerService:
    """Fires tasks; the API, the Scheduler and operators' notices all come through here."""

    def __init__(self, ports: TriggerPorts, settings: Settings, clock: Clock) -> None:
        self._tasks = ports.tasks
        self._executions = ports.executions
        self._plans = ports.plans
        self._queue = ports.queue
        self._walker = ports.walker
        self._limits = settings.limits
        self._clock = clock

    def fire(self, owner: str, task_id: str, firing: Firing) -> Execution:
        """Run a task once; returns its execution, with its final status if `firing.blocking` and
        it ended in time.

        A firing whose occurrence is known returns that occurrence's execution and runs nothing
        again. Raises NotFound, InvalidRequest for a firing that does not fit the task,
        PreconditionFailed (its code says why) when the task can't run. Once this has returned or
        raised Unavailable, a recorded execution is never lost: the sweeper walks what no queue got.
        """
        task = self._task(owner, task_id)
        now = self._clock.now_ms()
        # A known occurrence must be answered even when its run was the task's last.
        if not firing.occurrence:
            self._refuse_if_not_runnable(task, now)
        record = trigger_record(task, firing, self._limits, now)
        admitted = self._admit(task, record, firing, now)
        if firing.blocking and not admitted.execution.status.final:
            return self._run(admitted)
        return self._queued(admitted.execution)

    def rerun(self, owner: str, task_id: str, execution_id: str, occurrence: str = "") -> Execution:
        """A new execution with the trigger record of an earlier one, variables included, paid from
        the budget like any other. Raises as `fire`."""
        task = self._task(owner, task_id)
        before = self._executions.get(task.id, execution_id.lower())
        if before is None or before.owner != owner:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        now = self._clock.now_ms()
        if not occurrence:
            self._refuse_if_not_runnable(task, now)
        firing = Firing(before.trigger.type, occurrence)
        return self._queued(self._admit(task, before.trigger, firing, now).execution)

    def _queued(self, execution: Execution) -> Execution:
        if not execution.status.final:
            self._queue.enqueue(execution)
        return execution

    def admit(self, task: Task, firing: Firing) -> Admitted:
        """As `fire`, for a task that was just read, but nothing is queued: `enqueue` does that.
        What was admitted and never queued is found by the sweeper."""
        now = self._clock.now_ms()
        record = trigger_record(task, firing, self._limits, now)
        return self._admit(task, record, firing, now)

    def enqueue(self, executions: Sequence[Execution]) -> None:
        """Queue admitted executions; raises Unavailable, and may be repeated."""
        self._queue.enqueue_all(executions)

    def _task(self, owner: str, task_id: str) -> Task:
        task = self._tasks.get(owner, task_id.lower()) if is_id(task_id) else None
        if task is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        return task

    def _admit(self, task: Task, record: TriggerRecord, firing: Firing, now_ms: int) -> Admitted:
        execution_id, occurrence = new_id(now_ms), firing.occurrence
        keyed = occurrence.startswith("key:") or not occurrence
        try:
            return self._executions.admit(
                task,
                occurrence or f"call:{execution_id}",
                execution_id,
                record,
                now_ms,
                OccurrenceLife(
                    KEY_TTL_SECONDS if keyed else OCCURRENCE_TTL_SECONDS,
                    firing.cooldown_ms,
                    firing.said_at,
                ),
            )
        except PreconditionFailed as error:
            if error.stable_code in _OF_OCCURRENCES:
                raise
            self._refuse_if_not_runnable(self._task(task.owner, task.id), now_ms)
            raise

    def _run(self, admitted: Admitted) -> Execution:
        execution = admitted.execution
        if admitted.duplicate:
            return execution
        try:
            plan = self._plans.of(execution.owner, execution.task_id, execution.plan_version)
            self._walker.run(execution, plan, BLOCKING_SECONDS, lambda: self._settled(execution))
        except (Corrupted, NotFound, Unavailable):
            # The run is recorded and paid for from the budget: it must happen, if later; whether
            # it never can is for the queue's reader to say.
            self._queue.enqueue(execution)
            return execution
        return self._executions.get(execution.task_id, execution.id) or execution

    def _settled(self, execution: Execution) -> bool:
        """It has its end, or waits for somebody who may take days."""
        now = self._executions.get(execution.task_id, execution.id)
        return now is not None and (now.status.final or now.status is ExecutionStatus.WAITING)

    @staticmethod
    def _refuse_if_not_runnable(task: Task, now_ms: int) -> None:
        reason = task.refusal(now_ms)
        if reason is not None:
            code, text = _REFUSALS[reason]
            raise PreconditionFailed(text, code=code)


def key_occurrence(idempotency_key: str) -> str:
    """Name of the occurrence that a caller's `Idempotency-Key` stands for; "" without a key.

    Raises InvalidRequest unless it is 1 to 255 visible ASCII characters.
    """
    if not idempotency_key:
        return ""
    if len(idempotency_key) > 255 or not all("!" <= char <= "~" for char in idempotency_key):
        raise InvalidRequest("Idempotency-Key must be 1 to 255 visible ASCII characters")
    return f"key:{idempotency_key}"
