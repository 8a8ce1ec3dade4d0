"""Reading executions: one with its steps, lists, counts, statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import Corrupted, NotFound
from task_engine.ids import is_id
from task_engine.model.execution import Execution, ExecutionStatus, Step
from task_engine.model.paging import Page, PageRequest
from task_engine.model.plan import Plan
from task_engine.services.ports import Executions, PlanReader, TaskFilter, Tasks

STATS_DAYS = 7
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class ExecutionDetail:
    """An execution with its steps; `plan` is None once its task was deleted."""

    execution: Execution
    steps: tuple[Step, ...]
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class ExecutionStats:
    """Executions of the last days by outcome; the average is over finished ones, in ms."""

    total: int
    succeeded: int
    failed: int
    pending: int
    waiting: int
    average_ms: float


class StepReader(Protocol):
    """The part of a StepStore that reading needs."""

    def steps(self, execution_id: str) -> list[Step]:
        """All steps of an execution, claims included, by ordinal."""


class ExecutionService:
    """Executions of an owner; those of deleted tasks stay readable."""

    def __init__(
        self,
        tasks: Tasks,
        executions: Executions,
        steps: StepReader,
        plans: PlanReader,
        clock: Clock,
    ) -> None:
        self._tasks = tasks
        self._executions = executions
        self._steps = steps
        self._plans = plans
        self._clock = clock

    def status(self, owner: str, task_id: str, execution_id: str) -> Execution:
        """The header; raises NotFound when unknown or another owner's."""
        execution = self._executions.get(task_id.lower(), execution_id.lower())
        if execution is None or execution.owner != owner:
            raise NotFound("no such execution", code="EXECUTION_NOT_FOUND")
        return execution

    def get(self, owner: str, task_id: str, execution_id: str) -> ExecutionDetail:
        """The execution with its steps so far; raises NotFound as `status` does."""
        execution = self.status(owner, task_id, execution_id)
        steps = self._steps.steps(execution.id)
        return ExecutionDetail(execution, tuple(steps), self._plan(execution))

    def page(self, owner: str, task_ids: Sequence[str], page: PageRequest) -> Page[Execution]:
        """Newest first over all the tasks; raises NotFound if any is not the owner's."""
        ids = tuple(dict.fromkeys(task_id.lower() for task_id in task_ids))
        for task_id in ids:
            self._require(owner, task_id)
        return self._executions.page(ids, page)

    def count(self, owner: str, task_ids: Sequence[str]) -> int:
        """Executions ever admitted, of these tasks or (none given) of all that the owner has."""
        return self._executions.count(owner, self._own(owner, task_ids))

    def stats(self, owner: str, task_ids: Sequence[str]) -> ExecutionStats:
        """Executions that started in the last 7 days, of these tasks or of all."""
        since = self._clock.now_ms() - STATS_DAYS * _DAY_MS
        ids = self._own(owner, task_ids)
        return _stats(e for e in self._executions.since(ids, since) if e.owner == owner)

    def _own(self, owner: str, task_ids: Sequence[str]) -> tuple[str, ...]:
        if task_ids:
            return tuple(dict.fromkeys(text.lower() for text in task_ids if is_id(text)))
        found: list[str] = []
        after: str | None = None
        while True:
            page = self._tasks.page(owner, TaskFilter(), PageRequest(after=after, limit=200))
            found += [task.id for task in page.rows]
            if not page.has_next:
                return tuple(found)
            after = page.end_key

    def _require(self, owner: str, task_id: str) -> None:
        """The task is the owner's, or was: then its executions say so."""
        if not is_id(task_id):
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        if self._tasks.get(owner, task_id) is not None:
            return
        kept = self._executions.page((task_id,), PageRequest(limit=1)).rows
        if not kept or kept[0].owner != owner:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")

    def _plan(self, execution: Execution) -> Plan | None:
        try:
            return self._plans.of(execution.owner, execution.task_id, execution.plan_version)
        except (Corrupted, NotFound):
            return None


def _stats(executions: Iterable[Execution]) -> ExecutionStats:
    counts = dict.fromkeys(ExecutionStatus, 0)
    finished_ms: list[int] = []
    for execution in executions:
        counts[execution.status] += 1
        if execution.status.final and execution.end_at:
            finished_ms.append(execution.end_at - execution.start_at)
    return ExecutionStats(
        total=sum(counts.values()),
        succeeded=counts[ExecutionStatus.SUCCESS],
        failed=counts[ExecutionStatus.FAILED] + counts[ExecutionStatus.ERROR],
        pending=counts[ExecutionStatus.PENDING],
        waiting=counts[ExecutionStatus.WAITING],
        average_ms=sum(finished_ms) / len(finished_ms) if finished_ms else 0.0,
    )
