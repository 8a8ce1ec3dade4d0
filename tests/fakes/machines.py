"""Signer, schedules, queue, walker and steps in memory."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence

from task_engine.errors import Unavailable
from task_engine.model.execution import Execution, Step
from task_engine.model.plan import Plan
from task_engine.model.task import Task


class FakeSigner:
    def __init__(self, key: bytes = b"a key that no one has") -> None:
        self._key = key
        self.verified = 0

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, hashlib.sha256)

    def verify(self, message: bytes, mac: bytes) -> bool:
        self.verified += 1
        return hmac.compare_digest(self.sign(message), mac)


class FakeSchedules:
    def __init__(self) -> None:
        self.armed: set[str] = set()
        self.broken = False

    def arm(self, task: Task) -> None:
        if self.broken:
            raise Unavailable("the scheduler is away")
        self.armed.add(task.id)

    def disarm(self, task: Task) -> None:
        self.armed.discard(task.id)


class FakeQueue:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.broken = False

    def enqueue(self, execution: Execution) -> None:
        self.enqueue_all([execution])

    def enqueue_all(self, executions: Sequence[Execution]) -> None:
        if self.broken:
            raise Unavailable("the queue is away")
        self.sent += [execution.id for execution in executions]


class FakeWalker:
    """Calls `walk` for a blocking run; None stands for a run that outlasts the caller."""

    def __init__(self) -> None:
        self.walk: Callable[[Execution, Plan], None] | None = None
        self.ran: list[str] = []
        self.broken = False

    def start(self, execution: Execution, plan: Plan) -> None:
        if self.broken:
            raise Unavailable("the walker is away")
        self.ran.append(execution.id)

    def revive(self, execution: Execution, plan: Plan, now_ms: int) -> bool:
        self.ran.append(execution.id)
        return True

    def run(
        self, execution: Execution, plan: Plan, timeout_seconds: float, settled: Callable[[], bool]
    ) -> bool:
        if self.broken:
            raise Unavailable("the walker is away")
        self.ran.append(execution.id)
        if self.walk is None:
            return False
        self.walk(execution, plan)
        return settled()


class FakeSteps:
    """What reading executions needs of a StepStore."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Step]] = {}

    def steps(self, execution_id: str) -> list[Step]:
        return sorted(self.rows.get(execution_id, []), key=lambda step: step.ordinal)
