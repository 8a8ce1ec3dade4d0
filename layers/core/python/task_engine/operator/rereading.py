"""A second look at all checks now and then: what no change told is put right."""

from __future__ import annotations

from task_engine.clock import Clock
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSource

_EVERY_SECONDS = 600.0


class Rereading:
    """Implements CheckSource for one reader of one chain: its source's changes, and every ten
    minutes the whole set again, never in the middle of a set that has more pages."""

    def __init__(
        self, source: CheckSource, clock: Clock, every_seconds: float = _EVERY_SECONDS
    ) -> None:
        self._source = source
        self._clock = clock
        self._every = every_seconds
        self._whole = clock.monotonic()
        self._more = False

    def page(self, chain_id: int, after: str) -> CheckPage:
        """As CheckSource says."""
        now = self._clock.monotonic()
        if not self._more and now - self._whole >= self._every:
            after = ""
        page = self._source.page(chain_id, after)
        if page.full:
            self._whole = now
        self._more = page.more
        return page
