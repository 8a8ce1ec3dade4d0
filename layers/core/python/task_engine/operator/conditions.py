"""Whether a decoded event meets a condition."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from task_engine.evm.abi.events import DecodedEvent
from task_engine.evm.abi.formatting import MAX_DECIMALS, apply_decimals
from task_engine.evm.abi.item import AbiEvent, member_names
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.evm.abi.scalars import Unfit, whole_number
from task_engine.evm.address import is_address, keccak256
from task_engine.model.json_value import JsonValue
from task_engine.operator.checks import Condition

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_EQUALITY = frozenset({"eq", "ne"})
_INTEGER = re.compile(r"u?int[0-9]*")
_BYTES = re.compile(r"bytes[0-9]*|function")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?")
_WHOLE = re.compile(r"-?[0-9]{1,78}")
_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Seen:
    """A log as an ABI tells it: the event, and the entry of the ABI with its types."""

    event: DecodedEvent
    entry: AbiEvent


@dataclass(frozen=True, slots=True)
class Scale:
    """Fields (`Event.field`) that are shown as decimal numbers, and with how many decimals."""

    decimals: int = 0
    fields: frozenset[str] = frozenset()


def holds(condition: Condition, seen: Seen | None, scale: Scale) -> bool:
    """Whether the condition is met.

    One that names another event than the one seen is. One that can't be decided is not: a log that
    the ABI does not know, a missing field, an unknown operator or type, a value that is none of its
    type. Numbers are compared by size, also negative ones and those of indexed fields; `decimal`
    compares what the field is shown as where a `decimals` call formats it, else the base units.
    """
    if seen is None:
        return False
    if condition.event != seen.event.name:
        return True
    found = _find(seen, condition.field)
    if found is None:
        return False
    value, parameter = found
    kind = condition.type.lower() or parameter.type
    if parameter.indexed and not parameter.is_value_type:
        return _hashed(condition, parameter, value)
    if kind == "decimal":
        name = f"{condition.event}.{condition.field}"
        return _decimal(condition, value, scale.decimals if name in scale.fields else 0)
    return _compare(condition.operator, value, condition.value, kind)


def _find(seen: Seen, path: str) -> tuple[JsonValue, AbiParameter] | None:
    """The value at `field`, or `field.member.…` of structs, and its type."""
    value: JsonValue = seen.event.fields
    members: Sequence[AbiParameter] = seen.entry.inputs
    names = member_names(members, "arg")
    parameter: AbiParameter | None = None
    for step in path.split("."):
        if step not in names or not isinstance(value, dict) or step not in value:
            return None
        parameter = members[names.index(step)]
        value = value[step]
        members = parameter.components if not parameter.dimensions else ()
        names = [member.name for member in members]
    return None if parameter is None else (value, parameter)


def _compare(word: str, value: JsonValue, wanted: str, kind: str) -> bool:
    if kind.endswith("]"):
        return _array(word, value, wanted, kind)
    if not isinstance(value, str):
        return False
    if kind == "string":
        return wanted in value if word == "contains" else _equal(word, value, wanted)
    read = _reader(kind)
    if read is None or word not in _ORDER:
        return False
    if word not in _EQUALITY and not _INTEGER.fullmatch(kind):
        return False
    have, want = read(value), read(wanted)
    if have is None or want is None:
        return False
    return _ORDER[word](have, want)


def _array(word: str, value: JsonValue, wanted: str, kind: str) -> bool:
    """`contains` alone: whether an element equals the value."""
    if word != "contains" or not isinstance(value, list):
        return False
    element = kind[: kind.rindex("[")] if "[" in kind else ""
    return any(_compare("eq", item, wanted, element) for item in value)


def _equal(word: str, value: str, wanted: str) -> bool:
    return word in _EQUALITY and _ORDER[word](value, wanted)


def _hashed(condition: Condition, parameter: AbiParameter, value: JsonValue) -> bool:
    """A log holds only the hash of such a field; texts and bytes can be compared by theirs."""
    if parameter.dimensions or parameter.base == "tuple":
        return False
    text = condition.value.strip().lower()
    if parameter.base == "string":
        raw = condition.value.encode("utf-8", "surrogatepass")
    elif _HEX.fullmatch(text):
        raw = bytes.fromhex(text[2:])
    else:
        return False
    return _equal(condition.operator, str(value), "0x" + keccak256(raw).hex())


def _decimal(condition: Condition, value: JsonValue, decimals: int) -> bool:
    wanted = condition.value.strip()
    if condition.operator not in _ORDER or not _DECIMAL.fullmatch(wanted):
        return False
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return False
    shown = value
    if decimals and _WHOLE.fullmatch(value) and decimals <= MAX_DECIMALS:
        shown = apply_decimals(int(value), decimals)
    return _ORDER[condition.operator](Decimal(shown), Decimal(wanted))


def _reader(kind: str) -> Callable[[str], object | None] | None:
    """What reads a text of the type, giving None for one that is none of it."""
    if _INTEGER.fullmatch(kind):
        return _integer
    if _BYTES.fullmatch(kind):
        return _bytes
    return {"address": _address, "bool": _boolean}.get(kind)


@functools.lru_cache(maxsize=65_536)
def _integer(text: str) -> int | None:
    """Decimal digits, or 0x and at most 32 bytes: what is longer is no number of the chain's, and
    an address or a hash is none either."""
    trimmed = text.strip()
    if is_address(trimmed):
        return None
    try:
        return whole_number(trimmed)
    except Unfit:
        return None


def _address(text: str) -> str | None:
    trimmed = text.strip()
    return trimmed.lower() if is_address(trimmed) else None


def _boolean(text: str) -> bool | None:
    return _BOOLEANS.get(text.strip().lower())


def _bytes(text: str) -> str | None:
    trimmed = text.strip().lower()
    return trimmed if _HEX.fullmatch(trimmed) else None
