"""Base units as decimal numbers."""

from __future__ import annotations

import pytest
from task_engine.errors import NodeError
from task_engine.evm.abi.formatting import apply_decimals, apply_to_fields


@pytest.mark.parametrize(
    ("raw", "decimals", "text"),
    [
        (1_500_000, 6, "1.5"),
        (-1_500_000, 6, "-1.5"),
        (-1, 18, "-0.000000000000000001"),
        (0, 18, "0"),
        (5, 0, "5"),
        (100, 0, "100"),
        (10**18, 18, "1"),
        (1, 78, "0." + "0" * 77 + "1"),
    ],
)
def test_decimals_are_exact(raw: int, decimals: int, text: str) -> None:
    assert apply_decimals(raw, decimals) == text


@pytest.mark.parametrize("decimals", [-1, 79, 2**256])
def test_decimals_have_a_range(decimals: int) -> None:
    with pytest.raises(NodeError, match="decimals must be from 0 to 78"):
        apply_to_fields({}, [], decimals)


@pytest.mark.parametrize(
    ("values", "target", "formatted"),
    [
        ({"answer": "150"}, "answer", {"answer": "1.5"}),
        ({"m": {"a": "150", "b": "150"}}, "m.a", {"m": {"a": "1.5", "b": "150"}}),
        ({"m": {"a": "150"}}, "m", {"m": {"a": "1.5"}}),
        ({"m": {"s": {"a": "-150"}}}, "m.s.a", {"m": {"s": {"a": "-1.5"}}}),
        ({"m": ["150", "200"]}, "m", {"m": ["1.5", "2"]}),
        ({"m": "150"}, "other.x", {"m": "150"}),
    ],
)
def test_targets(values: dict[str, object], target: str, formatted: object) -> None:
    # Given values, of which a copy is kept
    before = repr(values)

    # When a target is formatted; Then it alone changes, and not in place
    assert apply_to_fields(values, [target], 2) == formatted
    assert repr(values) == before


def test_an_events_base_units_stay_beside() -> None:
    values = {"Transfer": {"to": "0x12", "value": "150"}}
    assert apply_to_fields(values, ["Transfer.value"], 2, keep_raw=True) == {
        "Transfer": {"to": "0x12", "value": "1.5", "valueRaw": "150"}
    }


@pytest.mark.parametrize(
    ("values", "target", "reason"),
    [
        ({"m": {"a": "1"}}, "m.b", "m.b is not there"),
        ({"m": "1"}, "m.a", "m.a is not there"),
        ({"m": {"a": "1", "b": "2"}}, "m", "m is not a whole number"),
        ({"m": "0x12"}, "m", "m is not a whole number"),
        ({"m": "true"}, "m", "m is not a whole number"),
        ({"m": None}, "m", "m is not a whole number"),
        ({"m": ["1", "x"]}, "m", "m is not a whole number"),
    ],
)
def test_what_cannot_be_formatted_is_named(
    values: dict[str, object], target: str, reason: str
) -> None:
    with pytest.raises(NodeError, match=f"applyToFields: {reason}") as caught:
        apply_to_fields(values, [target], 2)
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"
