"""Pages of a list, forwards and backwards, with opaque cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`after` = older than that key, `before` = just newer; `after` wins. `limit` is 1..200."""

    after: str | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in the list's order; keys of the first and last row, or None on an empty page."""

    rows: tuple[T, ...]
    start_key: str | None
    end_key: str | None
    has_next: bool
    has_previous: bool

    def with_rows(self, rows: Iterable[U]) -> Page[U]:
        """The same place in the list, with what its rows were made."""
        return Page(tuple(rows), self.start_key, self.end_key, self.has_next, self.has_previous)


def page_of(request: PageRequest, rows: list[T], more: bool, key_of: Callable[[T], str]) -> Page[T]:
    """The page for rows that were read in the list's order, `more` telling of unread ones."""
    backward = request.after is None and request.before is not None
    if not rows:
        return Page((), None, None, False, False)
    return Page(
        rows=tuple(rows),
        start_key=key_of(rows[0]),
        end_key=key_of(rows[-1]),
        has_next=True if backward else more,
        has_previous=more if backward else request.after is not None,
    )
