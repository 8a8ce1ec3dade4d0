"""What the use cases need of the world; `aws/` implements these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from task_engine.model.execution import Execution
from task_engine.model.paging import Page, PageRequest
from task_engine.model.plan import Plan, RunClass
from task_engine.model.secret import SecretInfo, SecretScope
from task_engine.model.task import CompletionReason, Task, TaskStatus
from task_engine.model.trigger import TriggerRecord
from task_engine.model.wallet import Wallet


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Empty = all."""

    wallets: tuple[str, ...] = ()
    statuses: tuple[TaskStatus, ...] = ()


class Tasks(Protocol):
    """Tasks of owners."""

    def create(self, task: Task, plan: Plan, max_active: int) -> None:
        """Task, plan and the owner's count of enabled tasks in one transaction. Raises
        QuotaExceeded beyond `max_active`."""

    def get(self, owner: str, task_id: str) -> Task | None:
        """None when unknown or another owner's."""

    def some(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Task]:
        """Those of (owner, task id) that are there and can be read."""

    def page(self, owner: str, chosen: TaskFilter, page: PageRequest) -> Page[Task]:
        """Newest first; keys are task ids."""

    def count(self, owner: str, chosen: TaskFilter) -> int:
        """How many match."""

    def set_status(
        self,
        task: Task,
        status: TaskStatus,
        now_ms: int,
        reason: CompletionReason | None = None,
        max_active: int = 0,
        note: str = "",
    ) -> Task:
        """From the status in `task` to `status`, with the owner's count and what operators watch;
        `note` tells the owner why. Raises Conflict when the status is another by now, QuotaExceeded
        when enabling beyond `max_active` (0 = no bound)."""

    def delete(self, owner: str, task_id: str, now_ms: int) -> None:
        """Task, plan, its `state.*` keys and its secrets, whether they can be read or not;
        executions stay readable. Raises Conflict while others change it."""

    def due_to_expire(self, now_ms: int, limit: int) -> list[Task]:
        """Enabled or disabled tasks whose `expired_at` has passed."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Answer to an admission: the execution, and whether it is new or the occurrence's first."""

    execution: Execution
    duplicate: bool


@dataclass(frozen=True, slots=True)
class OccurrenceLife:
    """How long an occurrence is remembered; how long the task takes no other one with a cooldown
    (ms); when somebody told of it (ms, 0 = it can't be taken back)."""

    ttl_seconds: int
    cooldown_ms: int = 0
    said_at: int = 0


class Executions(Protocol):
    """Executions of tasks."""

    def admit(
        self,
        task: Task,
        occurrence: str,
        execution_id: str,
        record: TriggerRecord,
        now_ms: int,
        life: OccurrenceLife,
    ) -> Admitted:
        """Dedupe the occurrence, take one run of the budget and the cooldown, assign the index and
        write the pending execution, all in one transaction, repeated when another trigger was
        first.

        Raises PreconditionFailed when the task can't run (any more), or is cooling down
        (TASK_COOLING_DOWN), or when the occurrence was taken back since (OCCURRENCE_ORPHANED);
        Unavailable when the contention does not end. A known occurrence answers with its first
        execution.
        """

    def orphan(self, task_id: str, occurrence: str, said_at: int, ttl_seconds: int) -> bool:
        """What triggered this occurrence has left the chain, as was said at that time (ms): marks
        its execution, and keeps what was said before that from starting one. True when there is an
        execution. What was said of the occurrence later than that stands."""

    def unorphan(self, execution: Execution, occurrence: str, said_at: int) -> None:
        """Its block is on the chain again, as was said at that time (ms): the mark goes, and so
        does the effect of what was said before and comes late."""

    def get(self, task_id: str, execution_id: str) -> Execution | None: ...

    def page(self, task_ids: Sequence[str], page: PageRequest) -> Page[Execution]:
        """Newest first over all the tasks; keys are execution ids."""

    def count(self, owner: str, task_ids: Sequence[str]) -> int:
        """Executions ever admitted of these tasks of that owner."""

    def since(self, task_ids: Sequence[str], since_ms: int) -> list[Execution]:
        """Headers started at or after `since_ms` (without trigger data)."""

    def open_before(self, before_ms: int, limit: int) -> list[Execution]:
        """Executions without a final status that started before `before_ms`, oldest first."""

    def reopen(self, execution: Execution, now_ms: int) -> Execution:
        """Pending again, and resumed once more; raises Conflict when it changed meanwhile."""


class Secrets(Protocol):
    """Secrets of owners; values go in, never out of here."""

    def put(
        self, owner: str, scope: SecretScope, task_id: str, name: str, value: str, now_ms: int
    ) -> bool:
        """Encrypt and store; True when new, False when replaced."""

    def page(self, owner: str, task_id: str | None, page: PageRequest) -> Page[SecretInfo]:
        """Ascending by key; keys are the storage keys."""

    def delete(self, owner: str, scope: SecretScope, task_id: str, name: str) -> bool:
        """True when there was one."""


class Wallets(Protocol):
    """Wallet records."""

    def get(self, owner: str, chain_id: int, address: str) -> Wallet | None: ...

    def find(self, owner: str, address: str) -> Wallet | None:
        """On any chain."""

    def of_owner(self, owner: str, chain_id: int) -> list[Wallet]:
        """Sorted by salt as text."""

    def put(self, wallet: Wallet, max_per_chain: int) -> bool:
        """True when new; raises QuotaExceeded beyond `max_per_chain`."""

    def set_hidden(self, wallet: Wallet, hidden: bool) -> Wallet: ...


class TokenSigner(Protocol):
    """MACs by a key that never leaves KMS."""

    def sign(self, message: bytes) -> bytes:
        """HMAC-SHA-256."""

    def verify(self, message: bytes, mac: bytes) -> bool: ...


class Guards(Protocol):
    """One-time names with a time to live."""

    def take(self, name: str, ttl_seconds: int, now_ms: int) -> bool:
        """True for the first taker of `name` until its time is over."""


class Schedules(Protocol):
    """EventBridge Scheduler."""

    def arm(self, task: Task) -> None:
        """Create or replace the schedules of a cron or fixed-time task; others need none."""

    def disarm(self, task: Task) -> None:
        """Remove them; absent ones are no error."""


class ExecutionQueue(Protocol):
    """The queue between trigger and walker."""

    def enqueue_all(self, executions: Sequence[Execution]) -> None:
        """Several at once; raises Unavailable, after which some may be there."""

    def enqueue(self, execution: Execution) -> None:
        """Fair per owner (MessageGroupId)."""


class Walker(Protocol):
    """The state machines."""

    def start(self, execution: Execution, plan: Plan) -> None:
        """Begin walking; starting a known execution again is harmless."""

    def revive(self, execution: Execution, plan: Plan, now_ms: int) -> bool:
        """Walk again from the stored steps unless it is being walked; False when that was tried
        often enough. Express ends after 5 minutes: what is older is dead; Standard is asked."""

    def run(
        self, execution: Execution, plan: Plan, timeout_seconds: float, settled: Callable[[], bool]
    ) -> bool:
        """Walk and wait (Express, synchronous; a Standard plan is started, and `settled` asked now
        and then whether there is anything left to wait for); False when the time was over first:
        it goes on walking."""


class PlanReader(Protocol):
    """Plans by task."""

    def of(self, owner: str, task_id: str, version: int) -> Plan: ...


__all__ = [
    "Admitted",
    "ExecutionQueue",
    "Executions",
    "Guards",
    "OccurrenceLife",
    "PlanReader",
    "RunClass",
    "Schedules",
    "Secrets",
    "TaskFilter",
    "Tasks",
    "TokenSigner",
    "Walker",
    "Wallets",
]
