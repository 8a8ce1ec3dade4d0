"""How much a run may ask of chains."""

from __future__ import annotations

import threading

from task_engine.errors import NodeError


class CallBudget:
    """Counts what is asked of chains, `most` in all; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spent = 0
        self._lock = threading.Lock()

    def spend(self, calls: int) -> None:
        """Count `calls` before they are made; raises NodeError QUOTA_EXCEEDED when they would be
        too many, and then counts none."""
        with self._lock:
            if self._spent + calls > self._most:
                left = self._most - self._spent
                raise NodeError(
                    f"{calls} more calls of chains are too many: {left} of {self._most} are left",
                    code="QUOTA_EXCEEDED",
                )
            self._spent += calls
