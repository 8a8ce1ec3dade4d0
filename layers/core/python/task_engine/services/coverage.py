"""Which chains somebody watches."""

from __future__ import annotations

from typing import Protocol

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.model.operator import Operator


class ListedOperators(Protocol):
    """All operators."""

    def all(self) -> list[Operator]:
        """By address."""


class Coverage:
    """The deployment watches the chains of its setting OPERATOR_CHAINS itself; others count while
    a registered operator that watches them is alive."""

    def __init__(self, operators: ListedOperators, settings: Settings, clock: Clock) -> None:
        own = settings.names.get("OPERATOR_CHAINS", "").split(",")
        self._own = frozenset(int(chain) for chain in own if chain.strip().isdecimal())
        self._operators = operators
        self._clock = clock

    def watched(self, chains: frozenset[int]) -> frozenset[int]:
        """Those of the chains that are watched; one read when the deployment itself does not watch
        them all."""
        missing = chains - self._own
        if not missing:
            return chains
        now = self._clock.now_ms()
        live = (operator for operator in self._operators.all() if operator.live(now))
        return chains & (self._own | {chain for operator in live for chain in operator.chains})
