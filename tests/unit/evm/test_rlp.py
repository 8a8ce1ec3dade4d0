"""Length prefixes as in the examples of Ethereum's documentation."""

from __future__ import annotations

import pytest
import rlp  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from task_engine.evm.rlp import RlpItem, encode_rlp

items = st.recursive(
    st.binary(max_size=80) | st.integers(min_value=0, max_value=2**256), st.lists, max_leaves=20
)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (b"dog", b"\x83dog"),
        ([b"cat", b"dog"], b"\xc8\x83cat\x83dog"),
        (b"", b"\x80"),
        ([], b"\xc0"),
        (0, b"\x80"),
        (b"\x00", b"\x00"),
        (15, b"\x0f"),
        (1024, b"\x82\x04\x00"),
        (b"a" * 56, b"\xb8\x38" + b"a" * 56),
        ([b"a" * 60], b"\xf8\x3e\xb8\x3c" + b"a" * 60),
        (b"a" * 300, b"\xb9\x01\x2c" + b"a" * 300),
    ],
)
def test_items_are_prefixed(item: RlpItem, expected: bytes) -> None:
    assert encode_rlp(item) == expected


@given(items)
def test_any_item_is_encoded_as_by_another_implementation(item: RlpItem) -> None:
    assert encode_rlp(item) == rlp.encode(item)
