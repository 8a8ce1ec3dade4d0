"""Wait for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StageError(Exception):
    """The local stage could not do what was asked; the message says what to do."""


def wait_until(
    probe: Callable[[], T | None],
    what: str,
    timeout_seconds: float,
    interval_seconds: float = 0.05,
) -> T:
    """The first value of `probe` that is neither None nor False.

    Raises StageError naming `what` after `timeout_seconds`; whatever `probe` raises passes through.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = probe()
        if value is not None and value is not False:
            return value
        if time.monotonic() >= deadline:
            raise StageError(f"{what}: not within {timeout_seconds:g} s")
        time.sleep(interval_seconds)
