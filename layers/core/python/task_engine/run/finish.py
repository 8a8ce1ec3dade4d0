"""The end of an execution: its final status from its steps, once."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.clock import Clock
from task_engine.errors import Corrupted, NotFound
from task_engine.model.execution import Execution, ExecutionStatus, Step, StepStatus
from task_engine.model.plan import Plan
from task_engine.model.task import Task
from task_engine.run.ports import EventSink, ExecutionStore, PlanStore, Run, StepStore


def status_of(steps: Sequence[Step]) -> tuple[ExecutionStatus, str]:
    """Final status and error text: failed names the failed steps; M counts the trigger's too."""
    failed = [s.name or s.node_id for s in steps if s.outcome.error and s.outcome.error.message]
    if failed:
        text = f"{len(failed)} of {len(steps) + 1} steps failed: {', '.join(failed)}"
        return ExecutionStatus.FAILED, text
    return ExecutionStatus.SUCCESS, ""


def skipped_nodes(plan: Plan, steps: Sequence[Step]) -> tuple[str, ...]:
    """Nodes that no token reached, in the plan's order."""
    ran = {step.node_id for step in steps}
    nodes = sorted(plan.nodes.values(), key=lambda node: node.ordinal)
    return tuple(node.id for node in nodes if node.id not in ran)


class FinishExecution:
    """Sets the final status once, however often it is asked, and announces it each time."""

    def __init__(
        self,
        steps: StepStore,
        plans: PlanStore,
        executions: ExecutionStore,
        events: EventSink,
        clock: Clock,
    ) -> None:
        self._steps = steps
        self._plans = plans
        self._executions = executions
        self._events = events
        self._clock = clock

    def finish(self, run: Run) -> Execution:
        """After a whole walk: success, or failed when a step failed."""
        steps = self._stored(run)
        status, error = status_of(steps)
        return self._end(run, self._skipped(run, steps), status, error)

    def give_up(self, run: Run, reason: str, resumes: int | None = None) -> Execution:
        """The walk itself failed: error, with the steps as far as they came and can be read.

        A walk of before the execution's last resumption (`resumes` says how many it knew of) ends
        nothing any more.
        """
        stands = self._executions.get(run.task_id, run.execution_id)
        if stands is not None and resumes is not None and stands.resumes > resumes:
            return stands
        try:
            skipped = self._skipped(run, self._stored(run))
        except Corrupted:
            skipped = ()
        return self._end(run, skipped, ExecutionStatus.ERROR, f"VM execution error: {reason}")

    def refuse(self, run: Run, reason: str) -> Task | None:
        """It can never begin: failed without a step; the task when it is paused for these."""
        now = self._clock.now_ms()
        execution, paused = self._executions.refuse(run, reason, now)
        self._events.execution_finished(execution)
        return paused

    def _stored(self, run: Run) -> list[Step]:
        """Steps with a result; claims are left out."""
        steps = self._steps.steps(run.execution_id)
        return [step for step in steps if step.status is not StepStatus.RUNNING]

    def _end(
        self, run: Run, skipped: tuple[str, ...], status: ExecutionStatus, error: str
    ) -> Execution:
        execution = self._executions.finish(run, status, error, skipped, self._clock.now_ms())
        # Also when it had its end already: whoever set it may have died before announcing it.
        self._events.execution_finished(execution)
        return execution

    def _skipped(self, run: Run, steps: Sequence[Step]) -> tuple[str, ...]:
        try:
            return skipped_nodes(self._plans.plan(run), steps)
        except (Corrupted, NotFound):
            # The task was deleted while this run went on: what it did stays readable.
            return ()
