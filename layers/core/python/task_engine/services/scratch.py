"""Runs that leave nothing behind: the product's processors over memory, ended by one deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from task_engine.call_budget import CallBudget
from task_engine.clock import Clock
from task_engine.config import Limits
from task_engine.errors import EngineError, NodeError
from task_engine.model.execution import Execution, ExecutionStatus, Outcome, Step
from task_engine.model.node import NodeType
from task_engine.model.plan import Plan, PlanNode
from task_engine.model.secret import SecretValue
from task_engine.processors.base import Processor, Scope
from task_engine.processors.loop import LoopProcessor
from task_engine.run.finish import status_of
from task_engine.run.in_process import InProcessWalker, Runner
from task_engine.run.loop_runner import LoopRunner
from task_engine.run.memory import MemoryRun, ScratchState
from task_engine.run.node_runner import Answer, NodeRunner, RunPorts
from task_engine.run.ports import Run

NOT_OFFERED = "NOT_IMPLEMENTED"
"""Code of what this deployment does not do yet."""
_LOWEST_SECONDS = 6.0

ProcessorOf = Callable[[], Processor]


class SecretsOf(Protocol):
    """Secrets of an owner that belong to no task."""

    def values(self, owner: str, names: tuple[str, ...]) -> dict[str, SecretValue]:
        """Those that are known; one read, and decryption where a value is not in memory."""


class NotOffered:
    """Stands in for a processor that this deployment has not got."""

    def __init__(self, kind: NodeType) -> None:
        self._kind = kind

    def run(self, node: PlanNode, scope: Scope) -> Outcome:  # noqa: ARG002 - as any processor
        """Raises NodeError."""
        text = f"{self._kind.value} nodes are not available in this deployment yet"
        raise NodeError(text, code=NOT_OFFERED)

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - as any processor
        """It does nothing, so it is."""
        return True


class Waiting(EngineError):
    """The walk has come to a wait: there it stays."""


class OutOfTime(EngineError):
    """The walk takes longer than one request may."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How far a walk came."""

    status: ExecutionStatus
    error: str
    steps: tuple[Step, ...]


class _Wait:
    """Nothing can be decided while a request is answered."""

    def handle(self, event: Mapping[str, object], remaining_seconds: float) -> Answer:  # noqa: ARG002 - as any runner
        """Raises Waiting."""
        raise Waiting(f"the node {event.get('nodeId')} waits")


class _Timed:
    """A runner whose nodes share one deadline."""

    def __init__(self, runner: NodeRunner, left: Callable[[], float]) -> None:
        self._runner = runner
        self._left = left

    def handle(self, event: Mapping[str, object], remaining_seconds: float) -> Answer:
        """Raises OutOfTime when too little time is left to begin."""
        left = min(self._left(), remaining_seconds)
        if left < _LOWEST_SECONDS:
            raise OutOfTime("the time of one request is over")
        return self._runner.handle(event, left)


class ScratchRuns:
    """Walks plans in this process. `processors` are makers by node type; loops get their own over
    them, and every kind that is missing answers that it is not offered."""

    def __init__(
        self, processors: Mapping[NodeType, ProcessorOf], limits: Limits, clock: Clock
    ) -> None:
        makers: dict[NodeType, ProcessorOf] = {
            kind: _not_offered(kind) for kind in NodeType if kind is not NodeType.LOOP
        }
        makers.update(processors)
        # Nothing goes on after the request, so its last second is of use too.
        self._loop = LoopProcessor({kind.value: make for kind, make in makers.items()}, 1.0)
        self._processors: dict[NodeType, Processor] = {
            kind: make() for kind, make in makers.items()
        }
        self._processors[NodeType.LOOP] = self._loop
        self._limits = limits
        self._clock = clock

    def processor(self, kind: NodeType) -> Processor:
        """The processor of a node type."""
        return self._processors[kind]

    def walk(
        self,
        plan: Plan,
        execution: Execution,
        secrets: Mapping[str, SecretValue],
        seconds: float,
    ) -> Ended:
        """Run all that the trigger reaches. Ends as `waiting` at a wait, and as `error` when
        `seconds` are over; the steps so far are there either way."""
        memory = MemoryRun(plan, execution, secrets)
        deadline = self._clock.monotonic() + seconds
        run = Run(execution.id, execution.task_id, execution.owner, plan.version, "scratch")

        def left() -> float:
            return deadline - self._clock.monotonic()

        def wait(pause: float) -> None:
            # Nothing that a pause could help is waited for: retries follow at once.
            if pause > left():
                raise OutOfTime("the time of one request is over")

        walker = InProcessWalker(self._runners(memory, left), wait, seconds)
        status, error = ExecutionStatus.ERROR, f"took longer than {seconds:.0f} s"
        try:
            walker.walk(run, plan)
            status, error = status_of(memory.steps(execution.id))
        except Waiting:
            status, error = ExecutionStatus.WAITING, ""
        except OutOfTime:
            pass
        return Ended(status, error, tuple(memory.steps(execution.id)))

    def _runners(self, memory: MemoryRun, left: Callable[[], float]) -> dict[NodeType, Runner]:
        ports = RunPorts(
            memory,
            memory,
            ScratchState(),
            self._clock,
            self._limits,
            simulated=True,
            calls=CallBudget(self._limits.max_chain_calls),
        )
        runners: dict[NodeType, Runner] = {
            kind: _Timed(NodeRunner(processor, ports), left)
            for kind, processor in self._processors.items()
        }
        runners[NodeType.LOOP] = _Timed(LoopRunner(self._loop, ports), left)
        runners[NodeType.AWAIT] = _Wait()
        return runners


def _not_offered(kind: NodeType) -> ProcessorOf:
    return lambda: NotOffered(kind)
