"""One turn of the deployment's own operator: a minute of watching one chain."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import EngineError, InvalidRequest, Unavailable
from task_engine.model.json_value import JsonValue
from task_engine.observability import metric
from task_engine.operator.progress import ChainProgress, Figures
from task_engine.operator.run_loop import ChainWatch, Pace, RunLoop

log = logging.getLogger(__name__)

_LAST_PASS_SECONDS = 10
"""How long the last pass of a turn may take before the next turn begins all the same: two do no
harm, while a turn that was cut off keeps its chain from the next one for as long as its lease."""
_BEAT_SECONDS = 30.0


class Heartbeats(Protocol):
    """Where the operator says that it lives."""

    def beat(self, chain_id: int, block: int, now_ms: int) -> None:
        """It has passed `block` of this chain (0: nothing known)."""


class TurnLease(Protocol):
    """At most one turn of a chain at a time, to save work: two do no harm."""

    def hold(self, name: str, seconds: int) -> AbstractContextManager[None]:
        """Hold `name` for the block; raises Unavailable while another one has it."""


@dataclass(slots=True)
class ChainTurn:
    """What is kept of one chain from turn to turn."""

    watch: ChainWatch
    progress: ChainProgress
    pace: Pace
    block_seconds: float


@dataclass(frozen=True, slots=True)
class TurnPorts:
    """What turns need of the world; `chain` makes what a chain's turns share."""

    chain: Callable[[int], ChainTurn]
    heartbeats: Heartbeats
    lease: TurnLease
    clock: Clock
    pause: Callable[[float], None]


@dataclass(slots=True)
class _Beats:
    """Heartbeats within a turn: one in half a minute at most, and only when there is news."""

    ports: TurnPorts
    progress: ChainProgress
    told_block: int
    told_at: float

    def tell_news(self) -> None:
        """A heartbeat that fails is none to end a turn for."""
        figures, now = self.progress.figures(), self.ports.clock.monotonic()
        if figures.block == self.told_block or now - self.told_at < _BEAT_SECONDS:
            return
        self.told_block, self.told_at = figures.block, now
        try:
            self.ports.heartbeats.beat(figures.chain_id, figures.block, self.ports.clock.now_ms())
        except EngineError as error:
            log.warning("no heartbeat: %s", error.message, extra={"code": error.stable_code})


@dataclass(slots=True)
class WatchTurns:
    """Runs turns of `run_seconds`. Where a chain has no checks a turn ends at once, after one read
    and the heartbeat: no node is asked."""

    ports: TurnPorts
    run_seconds: float
    stage: str
    _chains: dict[int, ChainTurn] = field(default_factory=dict)

    def handle(self, event: dict[str, object]) -> dict[str, JsonValue]:
        """`{"chainId": n}` → what the turn came to. Raises InvalidRequest for anything else, and
        what no later pass can mend."""
        chain_id = event.get("chainId")
        if type(chain_id) is not int:
            raise InvalidRequest("a turn needs the chainId that it is about")
        if chain_id not in self._chains:
            self._chains[chain_id] = self.ports.chain(chain_id)
        return self._turn(chain_id, self._chains[chain_id])

    def _turn(self, chain_id: int, chain: ChainTurn) -> dict[str, JsonValue]:
        clock, checks = self.ports.clock, chain.watch.checks
        until = clock.monotonic() + self.run_seconds
        loop = RunLoop(chain.watch, chain.progress, chain.pace, clock, self.ports.pause)
        loop.refresh()
        before = chain.progress.figures()
        # Before any notice: the engine takes those of operators only that it knows of.
        self.ports.heartbeats.beat(chain_id, before.block, clock.now_ms())
        if not checks.checks:
            return {"checks": 0}
        beats = _Beats(self.ports, chain.progress, before.block, clock.monotonic())

        def goes_on() -> bool:
            beats.tell_news()
            return bool(checks.checks) and clock.monotonic() < until

        try:
            lease = int(self.run_seconds) + _LAST_PASS_SECONDS
            with self.ports.lease.hold(f"operator:{chain_id}", lease):
                loop.run(goes_on)
        except Unavailable as error:
            log.info("another turn watches the chain", extra={"code": error.stable_code})
            return {"checks": before.checks, "busy": True}
        return self._told(chain, before)

    def _told(self, chain: ChainTurn, before: Figures) -> dict[str, JsonValue]:
        now = chain.progress.figures()
        where = {"chain": str(now.chain_id), "stage": self.stage}
        lag = now.lag_seconds(self.ports.clock.now_ms(), chain.block_seconds)
        metric("OperatorLag", lag, "Seconds", **where)
        metric("OperatorBehind", now.behind, "Count", **where)
        notices = sum(dict(now.notices).values()) - sum(dict(before.notices).values())
        skipped = now.skipped_blocks - before.skipped_blocks
        if notices:
            metric("OperatorNotices", notices, "Count", **where)
        if skipped:
            metric("OperatorBlocksSkipped", skipped, "Count", **where)
        return {
            "checks": now.checks,
            "block": now.block,
            "behind": now.behind,
            "passes": now.passes - before.passes,
            "notices": notices,
            "error": now.error,
        }
