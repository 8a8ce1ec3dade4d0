"""Pages cut from a key range: there and back again, for any keys, limits and cursors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from task_engine.aws.items import Item
from task_engine.aws.page_range import PageRange
from task_engine.model.paging import Page, PageRequest, page_of

KEYS = st.sets(st.text("0123456789abcz#_", min_size=1, max_size=4), max_size=25)


def read(keys: set[str], request: PageRequest, prefix: str, newest_first: bool) -> Page[str]:
    """As a table would: its range is inclusive, in reading order, and no more than is needed."""
    span = PageRange(request, prefix, newest_first=newest_first)
    assert span.low <= span.high
    inside = [key for key in keys if span.low <= key <= span.high]
    items: list[Item] = [{"sk": key} for key in sorted(inside, reverse=span.descending)]
    rows, more = span.cut(items[: span.reads], "sk")
    return page_of(request, [str(row["sk"]) for row in rows], more, str)


@given(KEYS, st.integers(1, 6), st.booleans(), st.sampled_from(["", "a", "z#"]))
def test_forward_reaches_all_and_backward_gives_the_same_pages(
    keys: set[str], limit: int, newest_first: bool, prefix: str
) -> None:
    keys = {prefix + key for key in keys}
    pages = [read(keys, PageRequest(limit=limit), prefix, newest_first)]
    while pages[-1].has_next:
        request = PageRequest(after=pages[-1].end_key, limit=limit)
        pages.append(read(keys, request, prefix, newest_first))
    rows = [row for page in pages for row in page.rows]
    assert rows == sorted(keys, reverse=newest_first)
    page = pages[-1]
    for expected in reversed(pages[:-1]):
        page = read(keys, PageRequest(before=page.start_key, limit=limit), prefix, newest_first)
        assert page.rows == expected.rows


@given(KEYS, st.text(max_size=8), st.booleans(), st.booleans())
def test_no_cursor_leads_out_of_the_list(
    keys: set[str], cursor: str, newest_first: bool, backward: bool
) -> None:
    inside = {f"mine#{key}" for key in keys}
    outside = {"aaa", "mine!", "mine$", "zzz", *keys}
    request = PageRequest(before=cursor) if backward else PageRequest(after=cursor)
    assert set(read(inside | outside, request, "mine#", newest_first).rows) <= inside


def test_a_cursor_leaves_out_the_root_of_its_keys() -> None:
    span = PageRange(PageRequest(after="5"), "task#", newest_first=True, root="task#")
    assert (span.low, span.high, span.descending) == ("task#", "task#5", True)
