"""What the watch of one chain has come to so far."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.errors import EngineError
from task_engine.operator.findings import Kind
from task_engine.operator.rules import WatchRules
from task_engine.operator.watch import Look


@dataclass(frozen=True, slots=True)
class Figures:
    """A chain's watch at one moment.

    `block` is the last one passed (0: none yet), `behind` how many are left, `caught_up_ms` when
    none was. `notices` are counted by kind; `failures` are passes that a node or the engine failed,
    `error` the code of the last one ("" once a pass went well). `seconds` is what all passes took.
    """

    chain_id: int
    checks: int = 0
    head: int = 0
    block: int = 0
    behind: int = 0
    caught_up_ms: int = 0
    passes: int = 0
    failures: int = 0
    notices: tuple[tuple[Kind, int], ...] = ()
    logs: int = 0
    skipped_blocks: int = 0
    firings_left_out: int = 0
    reorgs: int = 0
    lost: int = 0
    seconds: float = 0.0
    error: str = ""

    def lag_seconds(self, now_ms: int, block_seconds: float) -> float:
        """How late an event is told now: the time that the blocks left took, or, while passes fail,
        since the watch was at the chain's end."""
        if self.error:
            return max(0, now_ms - self.caught_up_ms) / 1000
        return self.behind * block_seconds


class ChainProgress:
    """Counts one chain's passes; written by its loop, read by any thread."""

    def __init__(self, chain_id: int, rules: WatchRules, now_ms: int) -> None:
        self._chain_id = chain_id
        self._rules = rules
        self._lock = threading.Lock()
        self._notices: Counter[Kind] = Counter()
        self._counts: Counter[str] = Counter()
        self._seconds = 0.0
        self._head = self._block = self._behind = self._checks = 0
        self._caught_up_ms = now_ms
        self._error = ""

    def looked(self, look: Look, seconds: float, now_ms: int) -> None:
        """A pass went well."""
        with self._lock:
            self._counts.update(
                passes=1,
                logs=look.logs,
                skipped_blocks=sum(last - first + 1 for first, last in look.skipped),
                firings_left_out=look.firings_left_out,
                reorgs=look.reorg_depth > 0,
                lost=look.lost,
            )
            self._notices.update(look.sent)
            self._seconds += seconds
            self._error = ""
            self._head = look.head or self._head
            self._behind = look.behind
            if look.last >= look.first:
                self._block = look.last
            elif look.head:
                self._block = max(0, look.head - self._rules.confirmations)
            if not look.behind:
                self._caught_up_ms = now_ms

    def told(self, sent: Mapping[Kind, int]) -> None:
        """Notices besides those of passes."""
        with self._lock:
            self._notices.update(sent)

    def failed(self, error: EngineError) -> None:
        """A pass did not come to its end."""
        with self._lock:
            self._counts["failures"] += 1
            self._error = error.stable_code

    def checks_read(self, count: int) -> None:
        """How many checks there are now."""
        with self._lock:
            self._checks = count

    def figures(self) -> Figures:
        """All of it, of one moment."""
        with self._lock:
            return Figures(
                chain_id=self._chain_id,
                checks=self._checks,
                head=self._head,
                block=self._block,
                behind=self._behind,
                caught_up_ms=self._caught_up_ms,
                notices=tuple(sorted(self._notices.items())),
                seconds=self._seconds,
                error=self._error,
                **{name: self._counts[name] for name in _COUNTED},
            )


_COUNTED = (
    "passes",
    "failures",
    "logs",
    "skipped_blocks",
    "firings_left_out",
    "reorgs",
    "lost",
)
