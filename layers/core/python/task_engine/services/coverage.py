"""Which chains somebody watches."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.model.operator import Operator
from task_engine.model.shard import Shard, shard_setting


class ListedOperators(Protocol):
    """All operators."""

    def all(self) -> list[Operator]:
        """By address."""


class Coverage:
    """The deployment watches the chains of its setting OPERATOR_CHAINS itself, those checks of them
    that are in its OPERATOR_SHARD; others watch while they are registered and alive. A chain is
    watched when all parts of its checks are, shared out among the same number of operators."""

    def __init__(self, operators: ListedOperators, settings: Settings, clock: Clock) -> None:
        own = settings.names.get("OPERATOR_CHAINS", "").split(",")
        self._own = frozenset(int(chain) for chain in own if chain.strip().isdecimal())
        self._shard = shard_setting(settings.names.get("OPERATOR_SHARD", ""))
        self._operators = operators
        self._clock = clock

    def watched(self, chains: frozenset[int]) -> frozenset[int]:
        """Those of the chains that are watched; one read when the deployment itself does not watch
        them all."""
        parts = {chain: {self._shard} if chain in self._own else set() for chain in chains}
        if not all(map(_whole, parts.values())):
            now = self._clock.now_ms()
            for operator in self._operators.all():
                for chain in chains & set(operator.chains) if operator.live(now) else ():
                    parts[chain].add(operator.shard)
        return frozenset(chain for chain, shards in parts.items() if _whole(shards))


def _whole(shards: set[Shard]) -> bool:
    """Whether nothing is left out: of some number of parts, each is there."""
    sizes = Counter(shard.count for shard in shards)
    return any(found == count for count, found in sizes.items())
