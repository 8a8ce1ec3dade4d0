"""Conditions on decoded fields."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.operator.checks import Condition, EventCheck
from task_engine.operator.logs import Log
from task_engine.operator.match import Matcher

from tests.unit.operator.samples import (
    OTHER,
    TOKEN,
    TRANSFER,
    TRANSFER_ABI,
    WALLET,
    event_abi,
    log_of,
    transfer,
    watch_events,
    where,
    word,
)

EVERYTHING = event_abi(
    "Everything",
    ("signed", "int64", True),
    ("flag", "bool", True),
    ("label", "string", True),
    ("big", "uint256", False),
    ("below", "int256", False),
    ("on", "bool", False),
    ("who", "address", False),
    ("hash", "bytes32", False),
    ("note", "string", False),
    ("blob", "bytes", False),
    ("numbers", "uint256[]", False),
)
SEEN = log_of(
    EVERYTHING,
    -5,
    True,
    "hello",
    2**255,
    -7,
    False,
    OTHER,
    b"\x01" * 32,
    "a longer note",
    b"\xab\xcd",
    [1, 2, 30],
)


def fires(log: Log, check: EventCheck, **rules: Any) -> bool:
    return bool(Matcher([check], **rules).match([log], 0).hits)


@pytest.mark.parametrize(
    ("field", "operator", "value", "kind", "met"),
    [
        ("signed", "lt", "0", "int64", True),
        ("signed", "eq", "-5", "int64", True),
        ("signed", "gt", "-6", "", True),
        ("signed", "gt", "0", "int256", False),
        ("flag", "eq", "true", "bool", True),
        ("flag", "eq", "1", "bool", True),
        ("flag", "ne", "TRUE", "bool", False),
        ("flag", "gt", "false", "bool", False),
        ("on", "eq", "false", "bool", True),
        ("label", "eq", "hello", "string", True),
        ("label", "ne", "hello", "string", False),
        ("label", "contains", "hell", "string", False),
        ("big", "gt", str(2**255 - 1), "uint256", True),
        ("big", "eq", hex(2**255), "uint256", True),
        ("big", "eq", f"  {2**255} ", "uint256", True),
        ("big", "lte", "1e18", "uint256", False),
        ("big", "gte", "", "uint256", False),
        ("big", "contains", "1", "uint256", False),
        ("below", "lte", "-7", "int256", True),
        ("below", "gte", "-6.5", "decimal", False),
        ("below", "lt", "-6.5", "decimal", True),
        ("who", "eq", OTHER.upper().replace("0X", "0x"), "address", True),
        ("who", "ne", OTHER, "address", False),
        ("who", "gt", TOKEN, "address", False),
        ("who", "gt", "1", "uint256", False),
        ("who", "eq", "0x12", "address", False),
        ("hash", "eq", "0x" + "01" * 32, "bytes32", True),
        ("hash", "lt", "0x" + "02" * 32, "bytes32", False),
        ("note", "contains", "longer", "string", True),
        ("note", "contains", "shorter", "string", False),
        ("note", "eq", "a longer note", "string", True),
        ("note", "gt", "a", "string", False),
        ("blob", "eq", "0xABCD", "bytes", True),
        ("numbers", "contains", "30", "uint256[]", True),
        ("numbers", "contains", "3", "", False),
        ("numbers", "eq", "1", "uint256[]", False),
        ("missing", "eq", "1", "uint256", False),
        ("big", "eq", "1", "nonsense", False),
        ("big", "between", "1", "uint256", False),
    ],
)
def test_condition_when_field_is_compared_then_types_rule(
    field: str, operator: str, value: str, kind: str, met: bool
) -> None:
    condition = where(f"Everything.{field}", operator, value, kind)
    check = watch_events("t", {"contractAbi": [EVERYTHING], "conditions": [condition]})

    assert fires(SEEN, check) is met


def test_condition_when_it_names_another_event_then_it_passes() -> None:
    query = {"contractAbi": [TRANSFER_ABI], "conditions": [where("Approval.value", "gt", "1")]}

    assert fires(transfer(WALLET, OTHER, 0), watch_events("t", query))


def test_condition_when_name_stands_alone_then_it_is_event_and_field() -> None:
    check = watch_events("t", {"conditions": [where("answer", "eq", "1")]})

    assert check.queries[0].conditions == (Condition("answer", "answer", "eq", "1"),)


@pytest.mark.parametrize(
    "abi", [[], [{"type": "event", "name": "Transfer", "inputs": "x"}], [EVERYTHING]]
)
def test_condition_when_abi_does_not_tell_then_it_is_not_met(abi: list[dict[str, Any]]) -> None:
    query = {"contractAbi": abi, "conditions": [where("Transfer.value", "gte", "0")]}

    assert not fires(transfer(WALLET, OTHER, 5), watch_events("t", query))


def test_conditions_when_there_are_several_then_all_must_be_met() -> None:
    both = [where("Transfer.value", "gt", "1"), where("Transfer.to", "eq", OTHER)]
    check = watch_events("t", {"contractAbi": [TRANSFER_ABI], "conditions": both})

    assert fires(transfer(WALLET, OTHER, 2), check)
    assert not fires(transfer(WALLET, OTHER, 1), check)
    assert not fires(transfer(OTHER, WALLET, 2), check)


def test_decimal_when_a_decimals_call_formats_the_field_then_shown_value_is_compared() -> None:
    query = {
        "contractAbi": [TRANSFER_ABI],
        "conditions": [where("Transfer.value", "gt", "1.5", "decimal")],
        "methodCalls": [{"methodName": "decimals", "applyToFields": ["Transfer.value"]}],
    }
    check = watch_events("t", query)

    def six(address: str) -> int:
        assert address == TOKEN
        return 6

    assert not fires(transfer(WALLET, OTHER, 1_500_000), check, decimals=six)
    assert fires(transfer(WALLET, OTHER, 1_500_001), check, decimals=six)
    assert fires(transfer(WALLET, OTHER, 2), check)


def test_decode_when_data_does_not_fit_the_abi_then_condition_is_not_met() -> None:
    query = {"contractAbi": [TRANSFER_ABI], "conditions": [where("Transfer.value", "gte", "0")]}
    short = Log(TOKEN, (TRANSFER, word(1), word(2)), "0x01", 1, "0xb", "0xt", 0, 0)

    assert not fires(short, watch_events("t", query))
