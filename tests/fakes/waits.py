"""Waits in memory."""

from __future__ import annotations

from dataclasses import replace

from task_engine.model.wait import Decision, Wait
from task_engine.run.ports import Run, StepKey


class FakeWaits:
    """Remembers what was opened, decided, delivered and armed."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Wait] = {}
        self.delivered: list[str] = []
        self.armed: list[str] = []

    def open(self, wait: Wait, now_ms: int) -> Wait:
        key = (wait.execution_id, wait.node_id)
        before = self.rows.get(key)
        self.rows[key] = replace(before, token=wait.token) if before else wait
        return self.rows[key]

    def find(self, run: Run, key: StepKey) -> Wait | None:
        return self.rows.get((run.execution_id, key.node_id))

    def of(self, execution_id: str) -> list[Wait]:
        found = [wait for (owner, _), wait in self.rows.items() if owner == execution_id]
        return sorted(found, key=lambda wait: wait.ordinal)

    def decide(self, wait: Wait, decision: Decision) -> Wait | None:
        stands = self.rows[wait.execution_id, wait.node_id]
        if stands.decision is not None:
            return None
        decided = replace(stands, decision=decision)
        self.rows[wait.execution_id, wait.node_id] = decided
        return decided

    def deliver(self, wait: Wait) -> None:
        self.delivered.append(wait.token)

    def arm_timeout(self, wait: Wait) -> None:
        self.armed.append(wait.node_id)
