"""Cursors say a place in one list, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_engine.api.cursors import decode_cursor, encode_cursor, list_binding
from task_engine.errors import InvalidRequest

KEYS = st.text(min_size=1, max_size=300)
LISTS = st.lists(st.one_of(st.text(max_size=20), st.lists(st.text(max_size=20))), max_size=4)


@given(st.sampled_from(["next", "prev"]), KEYS, LISTS)
def test_a_cursor_decodes_to_its_key(direction: str, key: str, parts: list[str]) -> None:
    binding = list_binding(*parts)
    assert decode_cursor(encode_cursor(direction, key, binding), binding) == key


@given(KEYS, st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
def test_another_lists_cursor_is_refused(key: str, one: list[str], other: list[str]) -> None:
    first, second = list_binding(one), list_binding(other)
    cursor = encode_cursor("next", key, first)
    if sorted(one) == sorted(other):
        assert decode_cursor(cursor, second) == key
        return
    with pytest.raises(InvalidRequest):
        decode_cursor(cursor, second)


@given(st.text(max_size=200))
def test_other_text_is_refused_or_a_place(text: str) -> None:
    try:
        key = decode_cursor(text, "list")
    except InvalidRequest as error:
        code = error.stable_code
    else:
        code = "INVALID_CURSOR" if key else "an empty key"
    assert code == "INVALID_CURSOR"
