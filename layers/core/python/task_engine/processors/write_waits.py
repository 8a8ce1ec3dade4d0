"""When to look again for an operation that is not on chain yet, or not prepared."""

from __future__ import annotations

from typing import Final

from task_engine.evm.orders import NotPrepared
from task_engine.model.execution import ChainUse, Outcome
from task_engine.processors.write_result import step_error

FOR_GOOD: Final = None
"""Long enough: the step ends as pending, and the operation is looked up by its hash."""
# Seconds since it was prepared, and how long to wait then.
_WAITS = ((3, 1), (10, 2), (30, 4), (90, 8), (300, 15), (900, 30))


def pause_seconds(created_at: int, now_ms: int) -> int | None:
    """Seconds until the next look; None after a quarter of an hour."""
    age = max(0, now_ms - created_at) / 1000
    return next((wait for until, wait in _WAITS if age < until), FOR_GOOD)


def not_prepared(error: NotPrepared, use: ChainUse, now_ms: int) -> Outcome:
    """The node is run again until the order can be prepared; earlier ones are found then."""
    wait = pause_seconds(error.since, now_ms) or 1
    return Outcome(has_data=False, error=step_error(error), wait_seconds=wait, chain=use)
