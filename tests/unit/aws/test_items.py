"""Items: what goes in comes out, in boto3's own reading too."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st
from task_engine.aws.items import from_attribute, from_item, to_attribute, to_item

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(-1e30, 1e30, allow_subnormal=False).filter(lambda f: f == 0 or abs(f) > 1e-100)
    | st.text()
    | st.binary()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def plain(value: Any) -> Any:
    """boto3's Decimal and Binary as the plain values they stand for."""
    if isinstance(value, Binary):
        return bytes(value)  # type: ignore[call-overload]
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def as_sent(attribute: Any) -> Any:
    """Without base64, as boto3 hands an attribute over."""
    ((kind, value),) = attribute.items()
    if kind == "B":
        return {"B": base64.b64decode(value)}
    if kind == "L":
        return {"L": [as_sent(item) for item in value]}
    if kind == "M":
        return {"M": {key: as_sent(item) for key, item in value.items()}}
    return attribute


@given(VALUES)
def test_values_come_back_as_they_were(value: object) -> None:
    assert from_attribute(to_attribute(value)) == value


@given(st.recursive(LEAVES.filter(lambda v: not isinstance(v, float)), st.lists, max_leaves=8))
def test_boto3_reads_the_same(value: object) -> None:
    assert plain(TypeDeserializer().deserialize(as_sent(to_attribute(value)))) == value


def test_numbers_keep_their_kind() -> None:
    item = {"whole": 3, "part": 0.5, "large": 10**30, "flag": True, "exponent": 1e22}
    back = from_item(to_item(item))
    assert back == item
    assert [type(value) for value in back.values()] == [int, float, int, bool, float]


def test_a_list_stands_for_a_tuple() -> None:
    assert from_attribute(to_attribute((1, "a"))) == [1, "a"]


@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_attribute(value)
