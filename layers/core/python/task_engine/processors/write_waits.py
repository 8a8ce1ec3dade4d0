"""When to look again for an operation that is not on chain yet."""

from __future__ import annotations

from typing import Final

FOR_GOOD: Final = None
"""Long enough: the step ends as pending, and the operation is looked up by its hash."""
# Seconds since it was prepared, and how long to wait then.
_WAITS = ((3, 1), (10, 2), (30, 4), (90, 8), (300, 15), (900, 30))


def pause_seconds(created_at: int, now_ms: int) -> int | None:
    """Seconds until the next look; None after a quarter of an hour."""
    age = max(0, now_ms - created_at) / 1000
    return next((wait for until, wait in _WAITS if age < until), FOR_GOOD)
