"""Where a pass over a chain starts."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.operator.chain_view import ChainView
from task_engine.operator.cursor import Cursor
from task_engine.operator.rules import WatchRules


@dataclass(frozen=True, slots=True)
class Place:
    """A pass starts at block `first`, on top of the block of `cursor`; None = it follows on nothing
    that is known. `skipped` are ranges that will not be looked at."""

    first: int
    cursor: Cursor | None
    skipped: tuple[tuple[int, int], ...] = ()


def place_of(
    view: ChainView,
    cursor: Cursor | None,
    target: int,
    since_ms: int,
    now_ms: int,
    rules: WatchRules,
) -> Place:
    """The first block to look at, where `target` is the last and no check is older than `since_ms`.

    It is the one after the cursor; but where the chain was left alone until after the first check
    came, it is the first block since then. More than `max_backfill` blocks are not made up for.
    """
    earliest = 0 if cursor is None else cursor.block + 1
    if cursor is None:
        since_ms = max(since_ms, now_ms - rules.first_look_back_ms)
    oldest = max(0, target - rules.max_backfill + 1)
    first = max(earliest, oldest)
    if first > target:
        return Place(earliest, cursor)
    if cursor is None or since_ms > cursor.seen_ms + rules.grace_ms:
        found = _first_since(view, first, target, since_ms - rules.grace_ms)
        if found > first:
            return Place(found, None)
    if cursor is None or first == earliest:
        return Place(first, cursor)
    return Place(first, None, ((earliest, first - 1),))


def _first_since(view: ChainView, low: int, high: int, since_ms: int) -> int:
    """The first block from `low` to `high` that is not older, `high` + 1 if all are.

    A block that the node has not got counts as older: it keeps the newest ones.
    """
    ends = view.headers({low, high})
    if low in ends and ends[low].timestamp * 1000 >= since_ms:
        return low
    if high not in ends or ends[high].timestamp * 1000 < since_ms:
        return high + 1
    while high - low > 1:
        middle = (low + high) // 2
        header = view.headers([middle]).get(middle)
        if header is not None and header.timestamp * 1000 >= since_ms:
            high = middle
        else:
            low = middle
    return high
