"""How far a chain has been watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from task_engine.model.json_value import JsonValue
from task_engine.operator.findings import Finding, Kind, Occurrence


@dataclass(frozen=True, slots=True)
class Fired:
    """What was reported of a block, as far as it is needed to take it back."""

    check_id: str
    owner: str
    version: int
    transaction_hash: str = ""
    log_index: int | None = None

    def orphaned(self, chain_id: int, number: int, block_hash: str) -> Finding:
        """The finding that takes it back."""
        where = Occurrence(chain_id, number, block_hash, self.transaction_hash, self.log_index)
        return Finding(Kind.ORPHANED, self.check_id, self.owner, self.version, where)


@dataclass(frozen=True, slots=True)
class SeenBlock:
    """A block that was on the chain when it was watched."""

    number: int
    hash: str
    fired: tuple[Fired, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last block that was watched, and what a watcher must remember to go on from there.

    Everything up to `block` has been reported. `origin` is the first block ever watched without a
    gap; `seen_ms` when the chain was last looked at; `recent` are blocks of known hash, ascending,
    the last one `block` itself. `revision` grows by one with every write. `slow_ms` is how far the
    chain's clock is behind ours, as far as blocks have shown.
    """

    chain_id: int
    block: int
    hash: str
    origin: int
    seen_ms: int
    recent: tuple[SeenBlock, ...] = ()
    revision: int = 0
    slow_ms: int = 0


class CursorStore(Protocol):
    """Keeps one cursor per chain."""

    def get(self, chain_id: int) -> Cursor | None:
        """The cursor as last written; strongly consistent."""

    def put(self, cursor: Cursor, expected_revision: int) -> bool:
        """Write it unless somebody else has written meanwhile: False when the stored revision is
        not the expected one (0 = nothing stored)."""


def cursor_to_json(cursor: Cursor) -> dict[str, JsonValue]:
    """All of it, with numbers as numbers."""
    return {
        "chainId": cursor.chain_id,
        "block": cursor.block,
        "hash": cursor.hash,
        "origin": cursor.origin,
        "seenMs": cursor.seen_ms,
        "revision": cursor.revision,
        "slowMs": cursor.slow_ms,
        "recent": [
            [
                seen.number,
                seen.hash,
                [
                    [f.check_id, f.owner, f.version, f.transaction_hash, f.log_index]
                    for f in seen.fired
                ],
            ]
            for seen in cursor.recent
        ],
    }


def cursor_from_json(stored: Mapping[str, Any]) -> Cursor:
    """The cursor that `cursor_to_json` wrote."""
    return Cursor(
        chain_id=stored["chainId"],
        block=stored["block"],
        hash=stored["hash"],
        origin=stored["origin"],
        seen_ms=stored["seenMs"],
        recent=tuple(
            SeenBlock(number, block_hash, tuple(Fired(*entry) for entry in fired))
            for number, block_hash, fired in stored["recent"]
        ),
        revision=stored["revision"],
        slow_ms=stored.get("slowMs", 0),
    )
