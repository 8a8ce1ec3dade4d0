"""Pages of lists, and iterators that turn them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from task_engine_client.document import Document, flag, mapping, objects, text

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows with the cursors around them; a cursor is "" when the page is empty."""

    rows: tuple[Row, ...]
    has_next: bool
    has_previous: bool
    start_cursor: str
    end_cursor: str
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document, row: Callable[[Document], Row]) -> Page[Row]:
        """The page of a document whose rows `row` reads."""
        info = mapping(document, "pageInfo")
        return cls(
            rows=tuple(row(item) for item in objects(document, "data")),
            has_next=flag(info, "hasNextPage"),
            has_previous=flag(info, "hasPreviousPage"),
            start_cursor=text(info, "startCursor"),
            end_cursor=text(info, "endCursor"),
            raw=document,
        )


def all_rows(turn: Callable[[str], Page[Row]]) -> Iterator[Row]:
    """Every row of a list, page by page as they are taken; `turn("")` gives the first page."""
    cursor = ""
    while True:
        page = turn(cursor)
        yield from page.rows
        if not page.has_next or not page.end_cursor or page.end_cursor == cursor:
            return
        cursor = page.end_cursor
