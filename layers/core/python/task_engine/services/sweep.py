"""What nobody else will ever do: expire idle tasks, revive or end stuck executions."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.errors import Conflict, EngineError, Unavailable
from task_engine.model.execution import Execution
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import Plan
from task_engine.model.task import CompletionReason, Task, TaskStatus
from task_engine.run.finish import FinishExecution
from task_engine.run.ports import Run
from task_engine.services.gate import Gate
from task_engine.services.ports import Executions, Schedules, Tasks, Walker
from task_engine.services.signals import SignalService

log = logging.getLogger(__name__)

_BATCH = 100
# An Express walk ends after five minutes at the latest: what is open longer is not being walked.
_STUCK_AFTER_MS = 330_000


@dataclass(frozen=True, slots=True)
class SweepPorts:
    """What a sweep works on."""

    tasks: Tasks
    executions: Executions
    gate: Gate
    schedules: Schedules
    walker: Walker
    finish: FinishExecution
    signals: SignalService
    clock: Clock


class Sweeper:
    """One pass is bounded; what is left over is found by the next one."""

    def __init__(self, ports: SweepPorts) -> None:
        self._ports = ports

    def sweep(self) -> dict[str, JsonValue]:
        """Counts of tasks expired, executions revived and executions given up.

        Raises Unavailable at once. What is wrong with one execution alone keeps no other from being
        looked after: it is raised at the end.
        """
        expired = sum(self._expire(task) for task in self._due())
        revived = given_up = 0
        failure: EngineError | None = None
        for execution in self._stuck():
            try:
                walked = self._revive(execution)
            except Unavailable:
                raise
            except EngineError as error:
                ids = {"task_id": execution.task_id, "execution_id": execution.id}
                log.error("not swept: %s", error, extra={**ids, "owner": execution.owner})
                failure = error
            else:
                revived += walked
                given_up += not walked
        # The alarm on stuck executions reads this count.
        log.info("swept", extra={"count": given_up})
        if failure is not None:
            raise failure
        return {"expired": expired, "revived": revived, "givenUp": given_up}

    def _stuck(self) -> list[Execution]:
        before = self._ports.clock.now_ms() - _STUCK_AFTER_MS
        found = self._ports.executions.open_before(before, _BATCH)
        return [execution for execution in found if execution.begun_at < before]

    def _due(self) -> list[Task]:
        return self._ports.tasks.due_to_expire(self._ports.clock.now_ms(), _BATCH)

    def _expire(self, task: Task) -> int:
        try:
            self._ports.schedules.disarm(task)
            self._ports.tasks.set_status(
                task, TaskStatus.COMPLETED, self._ports.clock.now_ms(), CompletionReason.EXPIRED
            )
        except Conflict:
            # Somebody changed it meanwhile; the next pass looks again.
            return 0
        return 1

    def _revive(self, execution: Execution) -> bool:
        """Whether it is, or is again, being walked; otherwise it was given its final status."""
        now = self._ports.clock.now_ms()

        def revive(plan: Plan) -> bool:
            self._ports.signals.redeliver(execution)
            return self._ports.walker.revive(execution, plan, now)

        revived = self._ports.gate.through(execution, revive)
        if revived is False:
            self._give_up(execution, "it stopped and could not be brought to an end")
        return bool(revived)

    def _give_up(self, execution: Execution, reason: str) -> None:
        ids = {"task_id": execution.task_id, "execution_id": execution.id}
        log.error("given up: %s", reason, extra={**ids, "owner": execution.owner})
        run = Run(
            execution.id, execution.task_id, execution.owner, execution.plan_version, "sweeper"
        )
        self._ports.finish.give_up(run, reason)
