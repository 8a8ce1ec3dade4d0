"""Pass after pass over one chain: the same in a function and in a process of its own."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import ConfigurationError, EngineError
from task_engine.operator.check_set import CheckSet, CheckSource
from task_engine.operator.findings import Kind
from task_engine.operator.progress import ChainProgress
from task_engine.operator.watch import Look

log = logging.getLogger(__name__)

_LEAST_PAUSE = 0.5
_MOST_PAUSE = 5.0
_FIRST_BACK_OFF = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between the ends of passes, between readings of the checks, and at most after
    failures, where each pause is up to twice the one before."""

    pause_seconds: float = _MOST_PAUSE
    refresh_seconds: float = 3.0
    most_back_off_seconds: float = 30.0

    @classmethod
    def of(cls, block_seconds: float) -> Pace:
        """Two looks a block, but neither more than two a second nor less than one in five."""
        return cls(min(_MOST_PAUSE, max(_LEAST_PAUSE, block_seconds / 2)))

    def back_off(self, failures: int) -> float:
        """The pause after so many failures in a row, with jitter."""
        longest = min(self.most_back_off_seconds, _FIRST_BACK_OFF * 2 ** min(failures, 16))
        return random.uniform(longest / 2, longest)


class Looking(Protocol):
    """A watcher."""

    def look(self) -> Look:
        """One pass; raises EngineError."""


class LookingBack(Protocol):
    """Looks, for new checks, at what was passed before they were known."""

    def look(self) -> Mapping[Kind, int]:
        """What was sent, by kind; raises EngineError, and is then asked again."""


@dataclass(frozen=True, slots=True)
class ChainWatch:
    """One chain's watcher, the checks that it watches for, where these come from, and what makes up
    for the time until they came."""

    watcher: Looking
    checks: CheckSet
    source: CheckSource
    latecomers: LookingBack


class RunLoop:
    """Watches one chain until told to stop.

    `pause` sleeps for so many seconds, or less when there is a reason to look up. A pass that has
    begun is always finished, with what it found sent and the cursor moved.
    """

    def __init__(
        self,
        watch: ChainWatch,
        progress: ChainProgress,
        pace: Pace,
        clock: Clock,
        pause: Callable[[float], None],
    ) -> None:
        self._watch = watch
        self._progress = progress
        self._pace = pace
        self._clock = clock
        self._pause = pause
        self._refreshed: float | None = None
        self._failures = 0

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Pass after pass while `goes_on()`, asked before each.

        What a node or the engine fails is logged, counted and tried again after a pause. Raises
        ConfigurationError, which no pause mends.
        """
        while goes_on():
            pause = self._turn()
            if pause > 0 and goes_on():
                self._pause(pause)

    def refresh(self) -> None:
        """Read the checks anew; raises what their source raises."""
        self._watch.checks.refresh(self._watch.source)
        self._refreshed = self._clock.monotonic()
        self._progress.checks_read(len(self._watch.checks.checks))

    def _turn(self) -> float:
        """One pass; returns the seconds to wait before the next."""
        try:
            self._refresh_if_due()
            self._look_back()
            began = self._clock.monotonic()
            look = self._watch.watcher.look()
        except ConfigurationError:
            raise
        except EngineError as error:
            return self._failed(error)
        self._failures = 0
        now = self._clock.monotonic()
        self._progress.looked(look, now - began, self._clock.now_ms())
        _tell(look)
        return 0.0 if look.behind else self._pace.pause_seconds

    def _refresh_if_due(self) -> None:
        """Checks that can't be read anew just now are no reason to stop watching for those that
        were read before."""
        last = self._refreshed
        if last is not None and self._clock.monotonic() - last < self._pace.refresh_seconds:
            return
        try:
            self.refresh()
        except ConfigurationError:
            raise
        except EngineError as error:
            if last is None:
                raise
            self._refreshed = self._clock.monotonic()
            log.warning("the checks could not be read", extra={"code": error.stable_code})

    def _look_back(self) -> None:
        """What fails here is tried again after the pass, which may be what it takes."""
        try:
            self._progress.told(self._watch.latecomers.look())
        except ConfigurationError:
            raise
        except EngineError as error:
            log.warning("no look back: %s", error.message, extra={"code": error.stable_code})

    def _failed(self, error: EngineError) -> float:
        self._failures += 1
        self._progress.failed(error)
        log.warning("a pass failed: %s", error.message, extra={"code": error.stable_code})
        return self._pace.back_off(self._failures)


def _tell(look: Look) -> None:
    chain = {"chain_id": look.chain_id}
    for first, last in look.skipped:
        log.error("blocks %d to %d are passed over: away for too long", first, last, extra=chain)
    if look.firings_left_out:
        log.warning("firings of intervals are left out", extra={**chain, "count": 1})
    if look.reorg_depth:
        log.info("the chain has left %d blocks", look.reorg_depth, extra=chain)
    if look.reorg_unbounded:
        log.error("a reorg was deeper than what is remembered", extra=chain)
