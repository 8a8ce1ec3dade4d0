"""A task: a trigger, nodes and edges, with the counters and limits of its life."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonValue
from task_engine.model.node import Node
from task_engine.model.trigger import Trigger

MOST_FALSE_STARTS = 10
"""So many in a row pause a task."""


class TaskStatus(StrEnum):
    """Life of a task; completed and failed are final."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class CompletionReason(StrEnum):
    """Why a task is completed."""

    MAX_EXECUTIONS_REACHED = "TASK_COMPLETION_REASON_MAX_EXECUTIONS_REACHED"
    EXPIRED = "TASK_COMPLETION_REASON_EXPIRED"


@dataclass(frozen=True, slots=True)
class Definition:
    """What the author wrote; immutable once stored."""

    trigger: Trigger
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    input_variables: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A stored task. Times are ms since the epoch, 0 = unset; addresses are checksummed.

    `check_version` is that of the check that operators have of it: the time of its last change, 0
    for tasks that no operator watches. `cooled_until` is when an event may fire it again. `note` is
    what its owner should know about its status. `false_starts` counts the runs in a row that could
    never begin, `false_start` says why the last one could not.
    """

    id: str
    owner: str
    wallet: str
    name: str
    definition: Definition
    status: TaskStatus
    created_at: int
    version: int = 1
    start_at: int = 0
    expired_at: int = 0
    max_execution: int = 0
    execution_count: int = 0
    last_ran_at: int = 0
    completed_at: int = 0
    completion_reason: CompletionReason | None = None
    check_version: int = 0
    cooled_until: int = 0
    note: str = ""
    false_starts: int = 0
    false_start: str = ""

    @property
    def remaining_executions(self) -> int | None:
        """Runs left, or None when unlimited."""
        if self.max_execution <= 0:
            return None
        return max(0, self.max_execution - self.execution_count)

    @property
    def watched(self) -> bool:
        """Whether operators should watch for it: enabled, and with a run left."""
        return self.status is TaskStatus.ENABLED and self.remaining_executions != 0

    def refusal(self, now_ms: int) -> str | None:
        """Why it can't run now (disabled, completed, failed, exhausted, expired, not_started)."""
        if self.status in (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.DISABLED):
            return self.status.value
        if self.remaining_executions == 0:
            return "exhausted"
        if self.expired_at > 0 and self.expired_at < now_ms:
            return "expired"
        if self.start_at > 0 and now_ms < self.start_at:
            return "not_started"
        return None
