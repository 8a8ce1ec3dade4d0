"""Operators of a deployment: who watches which chains."""

from __future__ import annotations

from typing import Protocol

from task_engine.clock import Clock
from task_engine.model.operator import Operator


class Operators(Protocol):
    """Records of operators."""

    def all(self) -> list[Operator]:
        """By address."""

    def get(self, address: str) -> Operator | None:
        """None when unknown."""

    def register(self, operator: Operator) -> Operator:
        """Write what it says of itself."""

    def count(self, address: str, *, events: int = 0, rejected: int = 0) -> None:
        """Add to its counters."""


class OperatorService:
    """Lists operators, and tells which chains are watched."""

    def __init__(self, operators: Operators, clock: Clock) -> None:
        self._operators = operators
        self._clock = clock

    def list_operators(self) -> list[Operator]:
        """All that ever registered, by address."""
        return self._operators.all()

    def watched_chains(self) -> frozenset[int]:
        """Chains that a live operator watches."""
        now = self._clock.now_ms()
        live = (operator for operator in self._operators.all() if operator.live(now))
        return frozenset(chain for operator in live for chain in operator.chains)
