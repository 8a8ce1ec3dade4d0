"""Pages of a key range: what a cursor says, kept inside the list that it is used on."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from task_engine.aws.items import Item
from task_engine.model.paging import PageRequest

# Above every character that our keys are made of.
_LAST = "~"
# DynamoDB takes keys of 1024 bytes; ours are shorter, whatever a cursor says.
_LONGEST = 512


class PageRange:
    """The part of a list that a page is cut from.

    The list's keys begin with `prefix`; `root` is what a cursor leaves out of a key. Cursors come
    from callers: one that points outside the list is moved to its edge.
    """

    def __init__(
        self, request: PageRequest, prefix: str = "", *, newest_first: bool, root: str = ""
    ) -> None:
        self.backward = request.after is None and request.before is not None
        self.descending = newest_first is not self.backward
        self._limit = request.limit
        self.low, self.high = prefix or " ", f"{prefix}{_LAST}"
        given = request.before if self.backward else request.after
        self._cursor: str | None = None
        if given is None:
            return
        self._cursor = f"{root}{given}"
        plain = self._cursor.encode("ascii", "ignore").decode()[:_LONGEST]
        place = min(max(plain, self.low), self.high)
        if self.descending:
            self.high = place
        else:
            self.low = place

    @property
    def reads(self) -> int:
        """Items that a page needs at most: its rows, the cursor's own, and one to see if more."""
        return self._limit + 2

    def cut(self, items: Iterable[Item], key: str) -> tuple[list[Item], bool]:
        """The page's items in the list's order, and whether more follow the way it was read;
        `items` come in reading order, `key` names their range key."""
        others = (item for item in items if item[key] != self._cursor)
        found = list(islice(others, self._limit + 1))
        rows = found[: self._limit]
        return rows[::-1] if self.backward else rows, len(found) > self._limit
