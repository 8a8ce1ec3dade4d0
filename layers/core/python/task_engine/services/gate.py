"""What stands between an execution and its walk: a plan that can be read and walked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from task_engine.errors import Corrupted, NotFound
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.plan import Plan
from task_engine.model.task import TaskStatus
from task_engine.observability import metric
from task_engine.run.finish import FinishExecution
from task_engine.run.ports import Run
from task_engine.services.ports import PlanReader, Schedules, Tasks

log = logging.getLogger(__name__)

T = TypeVar("T")


class Gate:
    """Lets executions begin. One that never can fails at once, and too many of those in a row pause
    its task; what may pass (storage or Step Functions being away) is raised and counts nothing.

    That a wallet is its task's owner's needs no look: rows of wallets are filed under their owner
    and never go.
    """

    def __init__(
        self, tasks: Tasks, plans: PlanReader, finish: FinishExecution, schedules: Schedules
    ) -> None:
        self._tasks = tasks
        self._plans = plans
        self._finish = finish
        self._schedules = schedules

    def through(self, execution: Execution, walk: Callable[[Plan], T]) -> T | None:
        """What `walk` answers of the execution's plan; None when it was refused for good."""
        try:
            return walk(self._plans.of(execution.owner, execution.task_id, execution.plan_version))
        except NotFound:
            self._refuse(execution, "its plan is missing")
        except Corrupted as error:
            self._refuse(execution, error.message)
        return None

    def ended(self, execution: Execution) -> None:
        """It had its end before it was to begin: whoever gave it one may have died before telling
        anybody."""
        if execution.status is not ExecutionStatus.SUCCESS:
            self._refuse(execution, execution.error)

    def _refuse(self, execution: Execution, reason: str) -> None:
        ids = {"task_id": execution.task_id, "owner": execution.owner}
        log.warning("refused: %s", reason, extra={**ids, "execution_id": execution.id})
        run = Run(execution.id, execution.task_id, execution.owner, execution.plan_version, "gate")
        paused = self._finish.refuse(run, reason)
        if paused is None:
            return
        metric("TasksUnrunnable")
        log.warning("a task was paused: its runs can't begin", extra=ids)
        stands = self._tasks.get(paused.owner, paused.id)
        # Its owner may have resumed, and so armed it meanwhile.
        if stands is not None and stands.status is TaskStatus.DISABLED:
            self._schedules.disarm(stands)
