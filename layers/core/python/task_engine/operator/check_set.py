"""The checks that an operator has of one chain, kept up to date by their changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

from task_engine.model.shard import WHOLE, Shard
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.checks import BlockCheck, Check

_ANY = "*"


class CheckSource(Protocol):
    """Where checks come from: the engine's tables, or its API."""

    def page(self, chain_id: int, after: str) -> CheckPage:
        """Changes since the cursor `after`; "" = the whole set. Raises Unavailable."""


def in_shard(check: Check, shard: Shard) -> bool:
    """Whether the check is in this part: checks of one contract are, so that one operator alone
    asks for its logs."""
    return shard.count <= 1 or shard_of(check, shard.count) == shard.index


def shard_of(check: Check, count: int) -> int:
    """The part that a check falls into: by its lowest address, without one by its id.

    The same on every machine and in every version.
    """
    key = check.id
    if not isinstance(check, BlockCheck):
        addresses = {a for query in check.queries for a in query.addresses or {_ANY}}
        key = check.id if _ANY in addresses else min(addresses)
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


class CheckSet:
    """The checks of one chain; `revision` grows whenever they change.

    The whole set replaces the old one only once its last page is there: a reader that is cut off
    in between goes on with what it had.
    """

    def __init__(self, chain_id: int, shard: Shard = WHOLE) -> None:
        self.chain_id = chain_id
        self.revision = 0
        self._shard = shard
        self._checks: dict[str, Check] = {}
        self._coming: dict[str, Check] | None = None
        self._cursor = ""

    @property
    def checks(self) -> Mapping[str, Check]:
        """By id."""
        return self._checks

    @property
    def cursor(self) -> str:
        """The source's mark of what has been read; "" = nothing."""
        return self._cursor

    def refresh(self, source: CheckSource) -> None:
        """Read everything that is new; what was read before an error is kept."""
        while True:
            page = source.page(self.chain_id, self._cursor)
            self.apply(page)
            if not page.more:
                return

    def apply(self, page: CheckPage) -> None:
        """Take one page in: upserts first, then removals."""
        if page.full:
            self._coming = {}
        held = self._checks if self._coming is None else self._coming
        changed = False
        for check in page.checks:
            fits = check.chain_id == self.chain_id and in_shard(check, self._shard)
            changed |= _put(held, check) if fits else held.pop(check.id, None) is not None
        for name in page.removed:
            changed |= held.pop(name, None) is not None
        self._cursor = page.cursor
        if self._coming is not None and not page.more:
            changed = self._coming != self._checks
            self._checks, self._coming = self._coming, None
            self.revision += changed
        elif self._coming is None:
            self.revision += changed


def _put(held: dict[str, Check], check: Check) -> bool:
    if held.get(check.id) == check:
        return False
    held[check.id] = check
    return True
