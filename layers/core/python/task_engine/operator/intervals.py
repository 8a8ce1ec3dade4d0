"""Which blocks are due for checks of every so many blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from task_engine.operator.checks import Check


@dataclass(frozen=True, slots=True)
class Due:
    """A check and the block that fires it."""

    check: Check
    number: int


class Intervals:
    """Checks by their interval, so that a thousand checks of one interval cost one."""

    def __init__(self, checks: Iterable[Check], max_firings: int) -> None:
        self._max = max_firings
        self._checks: dict[int, list[Check]] = {}
        for check in checks:
            self._checks.setdefault(check.interval, []).append(check)

    def numbers(self, first: int, last: int, head: int) -> frozenset[int]:
        """The blocks from `first` to `last` that fire something.

        Of each interval only the last `max_firings` multiples up to `head` count: who was away for
        long does not make up for everything at once.
        """
        return frozenset(n for i in self._checks for n in self._multiples(i, first, last, head))

    def due(self, first: int, last: int, head: int) -> Iterator[Due]:
        """Every check with every block that fires it, in no order."""
        for interval, checks in self._checks.items():
            for number in self._multiples(interval, first, last, head):
                yield from (Due(check, number) for check in checks)

    def left_out(self, first: int, last: int, head: int) -> int:
        """How many firings, over all checks, the bound leaves out."""
        total = 0
        for interval, checks in self._checks.items():
            every = last // interval - (first - 1) // interval
            total += (every - len(self._multiples(interval, first, last, head))) * len(checks)
        return total

    def _multiples(self, interval: int, first: int, last: int, head: int) -> range:
        least = max(first, (head // interval - self._max + 1) * interval, 0)
        start = -(-least // interval) * interval
        return range(start, last + 1, interval)
