"""Bounds of a watcher."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.model.chain import Chain

REORG_DEPTH = 64
_MAX_BACKFILL_SECONDS = 6 * 3600


@dataclass(frozen=True, slots=True)
class WatchRules:
    """How one chain is watched; counts are of blocks unless said.

    `confirmations` blocks below the newest are not looked at yet. `max_span` are read at once.
    After a longer downtime only the last `max_backfill` are made up for. `max_firings` is how often
    one interval may fire for what was missed. `max_remembered` occurrences can be taken back after
    a reorg. A chain that was never watched is looked at from `first_look_back_ms` ago. `grace_ms`
    is how much older than a check a block may say it is.
    """

    confirmations: int = 0
    block_seconds: float = 12.0
    max_span: int = 1000
    max_backfill: int = 10_000
    max_firings: int = 100
    max_events_per_block: int = 1000
    max_remembered: int = 1000
    first_look_back_ms: int = 300_000
    grace_ms: int = 15_000

    @classmethod
    def of(cls, chain: Chain) -> WatchRules:
        """The rules of a chain: up to six hours are made up for."""
        return cls(
            confirmations=chain.confirmations,
            block_seconds=chain.block_seconds,
            max_backfill=int(_MAX_BACKFILL_SECONDS / chain.block_seconds),
        )

    @property
    def lag_ms(self) -> int:
        """How old a block is when it is looked at."""
        return int(self.confirmations * self.block_seconds * 1000)
