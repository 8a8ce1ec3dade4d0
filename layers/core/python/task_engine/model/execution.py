"""One run of a task, and its steps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.trigger import TriggerRecord

_RESUMED_WALK = re.compile(r"-r([0-9]{1,9})(?:-[0-9]{1,9})?\Z")


class ExecutionStatus(StrEnum):
    """Life of an execution; success, failed and error are final."""

    PENDING = "pending"
    WAITING = "waiting"
    SUCCESS = "success"
    FAILED = "failed"
    ERROR = "error"

    @property
    def final(self) -> bool:
        return self in (ExecutionStatus.SUCCESS, ExecutionStatus.FAILED, ExecutionStatus.ERROR)


@dataclass(frozen=True, slots=True)
class RunContext:
    """`{{context}}`: the task's counters as this run saw them when it was triggered."""

    status: str
    execution_count: int
    last_ran_at: int
    completed_at: int


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution's header. Times in ms since the epoch, 0 = unset.

    `index` is zero-based, per task, assigned when triggered and never again. `trigger` may stand
    in the blob store when it is large; repositories hide that. `resumes` counts how often its owner
    had it walked again by hand, the last time at `resumed_at`. `orphaned_at` is when an operator
    said that the block it was triggered by has left the chain.
    """

    id: str
    task_id: str
    owner: str
    index: int
    status: ExecutionStatus
    trigger: TriggerRecord
    context: RunContext
    start_at: int
    plan_version: int = 1
    end_at: int = 0
    error: str = ""
    chain_id: int = 0
    skipped: tuple[str, ...] = ()
    resumes: int = 0
    resumed_at: int = 0
    orphaned_at: int = 0

    @property
    def begun_at(self) -> int:
        """When its present walks began at the earliest."""
        return max(self.start_at, self.resumed_at)


def walk_name(execution: Execution, revival: int = 0) -> str:
    """Name of a walk: the execution's id, `-r<n>` from its n-th resumption on, `-<n>` of a revival
    by the sweeper."""
    resumed = f"-r{execution.resumes}" if execution.resumes else ""
    return f"{execution.id}{resumed}" + (f"-{revival}" if revival else "")


def resumes_of(walk: str) -> int:
    """How often the execution had been resumed when the walk of this name or ARN was started."""
    found = _RESUMED_WALK.search(walk)
    return int(found[1]) if found else 0


class StepStatus(StrEnum):
    """`running` is a claim: the step has begun and no result is stored."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a step failed; `code` is a word of the contract's error codes."""

    code: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class ChainUse:
    """What a node did on a chain: through whom (`provider`), for real or not, and the gas of it
    (units, wei per unit, wei), 0 = none."""

    chain_id: int
    provider: str
    simulated: bool = False
    gas_used: int = 0
    gas_cost: int = 0

    @property
    def gas_price(self) -> int:
        """On average."""
        return self.gas_cost // self.gas_used if self.gas_used else 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a processor answers: pure, before anything is stored.

    `data` becomes `<node>.data` when `has_data`; a soft failure (HTTP 404, one loop item) has an
    error and data. `display` is the step's `output.data` where it differs from `<node>.data`.
    `conditions` are the ids of the branch conditions taken. With `wait_seconds` the node has not
    ended: it is run again after so many seconds, and finds what it had begun.
    """

    data: JsonValue = None
    has_data: bool = True
    error: StepError | None = None
    log: str = ""
    metadata: JsonValue = None
    conditions: tuple[str, ...] = ()
    display: JsonValue = None
    has_display: bool = False
    wait_seconds: int = 0
    chain: ChainUse | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A stored step: the claim, then the result."""

    execution_id: str
    node_id: str
    ordinal: int
    name: str
    type: NodeType
    status: StepStatus
    start_at: int
    end_at: int = 0
    attempt: int = 1
    tokens: tuple[str, ...] = ()
    outcome: Outcome = field(default_factory=Outcome)
