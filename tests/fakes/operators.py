"""Operators in memory."""

from __future__ import annotations

from dataclasses import replace

from task_engine.model.operator import Operator


class FakeOperators:
    """Implements Operators."""

    def __init__(self) -> None:
        self.rows: dict[str, Operator] = {}

    def all(self) -> list[Operator]:
        return [self.rows[address] for address in sorted(self.rows)]

    def get(self, address: str) -> Operator | None:
        return self.rows.get(address)

    def register(self, operator: Operator) -> Operator:
        self.rows[operator.address] = operator
        return operator

    def count(self, address: str, *, events: int = 0, rejected: int = 0) -> None:
        if address in self.rows:
            row = self.rows[address]
            self.rows[address] = replace(
                row, events=row.events + events, rejected=row.rejected + rejected
            )
