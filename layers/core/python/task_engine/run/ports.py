"""What running a plan needs of the world; `aws/` implements these, tests and simulation too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from task_engine.model.execution import Execution, ExecutionStatus, Step
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import Plan
from task_engine.model.secret import SecretValue
from task_engine.model.task import Task
from task_engine.model.wait import Wait
from task_engine.processors.base import StateStore


@dataclass(frozen=True, slots=True)
class Run:
    """Which execution is walked, and by which walk (the state machine execution's id)."""

    execution_id: str
    task_id: str
    owner: str
    version: int
    walk: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Answer to a claim.

    `stored` is the finished step when there is one: answer with its tokens and do nothing.
    `held_ms` > 0 says that another walk holds the claim for so long. Otherwise the claim is ours;
    `attempt` counts from 1; `interrupted` says that an earlier attempt began and neither stored a
    result nor released its claim: nobody knows how far it came.
    """

    attempt: int
    interrupted: bool = False
    stored: Step | None = None
    held_ms: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a node needs, read in one round trip."""

    execution: Execution
    steps: Mapping[str, Step]
    secrets: Mapping[str, SecretValue]


@dataclass(frozen=True, slots=True)
class StepKey:
    """Place of a step in its execution; `chunk` is set for one chunk of a loop."""

    ordinal: int
    node_id: str
    chunk: int | None = None


class StepStore(Protocol):
    """Steps of executions."""

    def claim(self, run: Run, key: StepKey, lease_ms: int, now_ms: int) -> Claim:
        """Write `running` unless a result stands there; one conditional write, no read.

        A claim of the same walk is taken over at once (its caller knows that the earlier
        invocation ended); one of another walk only after its lease.
        """

    def release(self, run: Run, key: StepKey) -> None:
        """Give the claim up with nothing stored: the attempt's end is known (it will be retried, or
        its chunks run first), so the next claim is not `interrupted`."""

    def load(self, run: Run, reads: Iterable[StepKey], secrets: Iterable[str]) -> Loaded:
        """Execution header, the named steps (absent ones are left out) and secrets; at most one
        read call, plus decryption where a secret is not in memory."""

    def store(self, run: Run, step: Step) -> Step:
        """Write the result if none stands there; returns what stands there then. Large outputs
        go to the blob store."""

    def steps(self, execution_id: str) -> list[Step]:
        """All steps of an execution, claims included, by ordinal; chunk rows left out."""

    def store_chunk(self, run: Run, key: StepKey, items: list[JsonValue], finished: bool) -> None:
        """Remember the items of `key.chunk` so far; `finished` stores them for good, otherwise the
        claim is released with them kept."""

    def chunk_items(self, run: Run, key: StepKey) -> list[JsonValue]:
        """Items of the claimed chunk `key.chunk` that an earlier invocation kept."""

    def chunks(self, run: Run, key: StepKey) -> dict[int, list[JsonValue]]:
        """Finished chunks of the loop at `key`, by number."""


class Waits(Protocol):
    """Waits of executions."""

    def open(self, wait: Wait, now_ms: int) -> Wait:
        """Remember it (again, with a new token) and mark the execution as waiting; a decided one
        is returned as it stands."""

    def find(self, run: Run, key: StepKey) -> Wait | None:
        """None when it was never opened."""

    def deliver(self, wait: Wait) -> None:
        """Let the state machine go on from a decided wait; harmless when it has already."""

    def arm_timeout(self, wait: Wait) -> None:
        """Have the wait end by itself at its time."""


class PlanStore(Protocol):
    """Immutable plans, kept in memory once read."""

    def plan(self, run: Run) -> Plan:
        """Raises NotFound."""


class ExecutionStore(Protocol):
    """Execution headers."""

    def get(self, task_id: str, execution_id: str) -> Execution | None:
        """None when unknown."""

    def finish(
        self,
        run: Run,
        status: ExecutionStatus,
        error: str,
        skipped: tuple[str, ...],
        now_ms: int,
    ) -> Execution:
        """Set the final status once; a second call changes nothing and returns what stands. In the
        same transaction completes the task when its budget is used up or it has expired."""

    def refuse(self, run: Run, reason: str, now_ms: int) -> tuple[Execution, Task | None]:
        """Fail it before it began, once, and count that as a false start of its task, in the same
        transaction; the task when it is paused because of such. Again changes nothing."""


class StateStores(Protocol):
    """`state.*` stores by task."""

    def of(self, task_id: str) -> StateStore:
        """The durable store of one task."""


class EventSink(Protocol):
    """Where finished executions are announced (the event bus)."""

    def execution_finished(self, execution: Execution) -> None:
        """Announce it, at least once; failing to must not fail the run."""
