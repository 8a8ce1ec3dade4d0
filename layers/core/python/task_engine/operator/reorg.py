"""What to take back when the chain has left blocks that were watched."""

from __future__ import annotations

from dataclasses import dataclass, replace

from task_engine.operator.chain_view import ChainView
from task_engine.operator.cursor import Cursor, SeenBlock
from task_engine.operator.findings import Finding
from task_engine.operator.rules import REORG_DEPTH


@dataclass(frozen=True, slots=True)
class SteppedBack:
    """The cursor at the last block that is still on the chain, and what was taken back.

    `depth` counts the blocks to watch again. `unknown` says that no remembered block is on the
    chain any more: the reorg may be deeper than what is watched again.
    """

    cursor: Cursor
    orphaned: tuple[Finding, ...]
    depth: int
    unknown: bool


def step_back(view: ChainView, cursor: Cursor) -> SteppedBack:
    """Find the newest remembered block that is still on the chain, at most REORG_DEPTH below."""
    lowest = max(cursor.origin - 1, cursor.block - REORG_DEPTH, 0)
    headers = view.headers(seen.number for seen in cursor.recent)
    standing = [
        seen
        for seen in cursor.recent
        if seen.number in headers and headers[seen.number].hash == seen.hash
    ]
    if standing and standing[-1].number >= lowest:
        last = standing[-1]
        block, block_hash, unknown = last.number, last.hash, False
    else:
        block, block_hash, unknown = lowest, "", not standing
    kept = tuple(seen for seen in standing if seen.number <= block)
    gone = [seen for seen in cursor.recent if seen not in standing]
    orphaned = tuple(
        fired.orphaned(cursor.chain_id, seen.number, seen.hash)
        for seen in gone
        for fired in seen.fired
    )
    moved = replace(cursor, block=block, hash=block_hash, recent=kept)
    return SteppedBack(moved, orphaned, cursor.block - block, unknown)


def remembered(
    cursor: Cursor | None, fresh: list[SeenBlock], max_fired: int
) -> tuple[SeenBlock, ...]:
    """The blocks to remember: REORG_DEPTH of them at most, with no more than `max_fired`
    occurrences, the newest."""
    newest = fresh[-1].number
    first = fresh[0].number
    before = [] if cursor is None else [seen for seen in cursor.recent if seen.number < first]
    kept: list[SeenBlock] = []
    left = max_fired
    for seen in reversed([*before, *fresh]):
        if seen.number <= newest - REORG_DEPTH - 1:
            break
        fired = seen.fired[:left]
        left -= len(fired)
        kept.append(seen if fired == seen.fired else replace(seen, fired=fired))
    return tuple(reversed(kept))
