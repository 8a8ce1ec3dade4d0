"""Walking an execution again that stopped before its end."""

from __future__ import annotations

from task_engine.clock import Clock
from task_engine.errors import Conflict, NotFound
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.plan import Plan, RunClass
from task_engine.services.ports import Executions, PlanReader, Walker

# What an Express walk takes at most: until then it may be walking.
_EXPRESS_MS = 330_000


class ResumeService:
    """Goes on after the steps that are stored: none of them is run again, and a step that was cut
    off is treated as in any walk (docs/adr/0005). It takes nothing of the task's budget."""

    def __init__(
        self, executions: Executions, plans: PlanReader, walker: Walker, clock: Clock
    ) -> None:
        self._executions = executions
        self._plans = plans
        self._walker = walker
        self._clock = clock

    def resume(self, owner: str, task_id: str, execution_id: str) -> Execution:
        """The execution, being walked; one that still is, is left alone.

        Raises NotFound, Conflict when it has run to its end (run it once more instead), when its
        task was deleted or when it changed meanwhile, Unavailable.
        """
        execution = self._executions.get(task_id.lower(), execution_id.lower())
        if execution is None or execution.owner != owner:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        if execution.status in (ExecutionStatus.SUCCESS, ExecutionStatus.FAILED):
            text = "it has run to its end: run it once more with :rerun"
            raise Conflict(text, code="EXECUTION_FINISHED")
        plan = self._plan(execution)
        now = self._clock.now_ms()
        if not execution.status.final and self._walked(execution, plan, now):
            return execution
        reopened = self._executions.reopen(execution, now)
        self._walker.start(reopened, plan)
        return reopened

    def _walked(self, execution: Execution, plan: Plan, now_ms: int) -> bool:
        """Whether it is, or is again, being walked."""
        if plan.run_class is RunClass.EXPRESS and now_ms - execution.begun_at < _EXPRESS_MS:
            return True
        return self._walker.revive(execution, plan, now_ms)

    def _plan(self, execution: Execution) -> Plan:
        try:
            return self._plans.of(execution.owner, execution.task_id, execution.plan_version)
        except NotFound as error:
            text = "its workflow was deleted: there is nothing left to run"
            raise Conflict(text, code="WORKFLOW_DELETED") from error
