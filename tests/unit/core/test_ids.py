"""Ids sort as they were made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from task_engine.ids import is_id, new_id, smallest_id


def test_ids_of_one_process_sort_in_the_order_they_were_made() -> None:
    ids = [new_id(1_700_000_000_000) for _ in range(2000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = [
            i
            for made in pool.map(lambda _: [new_id(5) for _ in range(500)], range(8))
            for i in made
        ]
    assert len(set(ids)) == 4000


@given(st.integers(0, 2**47), st.integers(0, 2**47))
def test_ids_sort_by_time_and_the_smallest_is_a_bound(one: int, other: int) -> None:
    assert smallest_id(one) <= new_id(one)
    if one < other:
        assert new_id(one) < smallest_id(other)


@given(st.text(max_size=30))
def test_only_ids_look_like_ids(text: str) -> None:
    if is_id(text):
        assert len(text) == 26
    assert is_id(new_id())
    assert is_id(new_id().upper())
