"""Operators: processes that watch chains and tell when a task's trigger fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from task_engine.model.shard import WHOLE, Shard

# An operator that was silent for longer does not count as watching.
LIVE_MS = 180_000


@dataclass(frozen=True, slots=True)
class Operator:
    """A registered operator as it last described itself.

    `address` is checksummed; `blocks` maps each chain that it watches to the last block it has
    passed; `last_seen` is in ms since the epoch; `events` counts the notices it has sent,
    `rejected` those that were refused or overruled by a quorum, `disputed` those that another
    operator contradicted. It has sent `in_minute` notices in the minute `minute` since the epoch.
    Of the checks of its chains it watches those in `shard`.
    """

    address: str
    version: str = ""
    last_seen: int = 0
    blocks: Mapping[int, int] = field(default_factory=dict)
    events: int = 0
    rejected: int = 0
    disputed: int = 0
    registered_at: int = 0
    minute: int = 0
    in_minute: int = 0
    shard: Shard = WHOLE

    @property
    def chains(self) -> tuple[int, ...]:
        """The chains that it watches, ascending."""
        return tuple(sorted(self.blocks))

    def live(self, now_ms: int) -> bool:
        """Whether it has been heard of lately."""
        return now_ms - self.last_seen <= LIVE_MS


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of an operator's notices; `weight` counts for its rate."""

    events: int = 0
    rejected: int = 0
    disputed: int = 0
    weight: int = 0
