"""What users write, as text or JSON, into the values of a contract's types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from task_engine.errors import Problem
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.evm.address import is_address
from task_engine.model.json_value import JsonValue

INVALID = "INVALID_NODE_CONFIG"
_DECIMAL = re.compile(r"[+-]?[0-9]+")
_HEX = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_FRACTION = re.compile(r"[+-]?[0-9]{1,80}(?:\.[0-9]{1,80})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_MAX_DIGITS = 78
_EXACT_FLOAT = 2**53
_SHOWN = 60
_MAX_NESTING = 64
# A text without an end is taken whole: looking for another end from each quote is quadratic.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class Unfit(ValueError):
    """A value that does not fit its type; the text says why. `code` is the error word."""

    def __init__(self, reason: str, code: str = INVALID) -> None:
        super().__init__(reason)
        self.code = code


def spread(inputs: Sequence[AbiParameter], params: Sequence[JsonValue]) -> Sequence[JsonValue]:
    """The positional values that `params` stand for.

    One JSON array (or its text) given where the method does not take exactly one array or struct
    is the list of the values themselves; but a text for one text or bytes is that text.
    """
    if len(params) != 1:
        return params
    [only] = params
    if isinstance(only, str) and not only.lstrip().startswith("["):
        return params
    if len(inputs) == 1 and _stays_whole(inputs[0], only):
        return params
    try:
        whole = structure(only)
    except Unfit:
        return params
    return whole if isinstance(whole, list) else params


def coerce_all(
    inputs: Sequence[AbiParameter], values: Sequence[JsonValue]
) -> tuple[list[object], list[Problem]]:
    """The typed values and everything wrong with them, a problem's path naming its place.

    `values` are as many as `inputs`. Integers become int, fixed-point numbers Decimal, addresses
    and bytes bytes, arrays and structs lists; a value with a problem is None.
    """
    try:
        return [
            _scalar(parameter, value) for parameter, value in zip(inputs, values, strict=True)
        ], []
    except Unfit:
        # Something is wrong or no scalar: once more, with a place for every problem.
        reading = _Reading()
    typed = [
        reading.read(parameter, value, f"parameter {number} {parameter.name}".rstrip())
        for number, (parameter, value) in enumerate(zip(inputs, values, strict=True), start=1)
    ]
    return typed, reading.problems


def structure(value: JsonValue) -> JsonValue:
    """`value`, parsed first when it is the text of a JSON array or object; raises Unfit.

    Fractions stay texts, so that no digit of theirs is lost.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed: JsonValue = json.loads(_shallow(value), parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{shown(value)} is not JSON") from error
    return parsed


def _shallow(text: str) -> str:
    """`text`, unless its brackets nest so deep that parsing it could overflow the C stack.

    The parser stops at the interpreter's recursion limit, which libraries are free to raise.
    """
    if text.count("[") + text.count("{") > _MAX_NESTING:
        depth = 0
        for bracket in _BRACKETS.findall(text):
            depth += (bracket in "[{") - (bracket in "]}")
            if depth > _MAX_NESTING:
                raise ValueError("nested too deep")
    return text


def shown(value: JsonValue) -> str:
    """A value for a message: in full when short, else only its length (never a part of it)."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"a value of {len(text)} characters"


class _Reading:
    """One pass over the values of a call, which goes on after a problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, parameter: AbiParameter, value: JsonValue, path: str) -> object:
        try:
            if value is not None and parameter.dimensions:
                return self._array(parameter, value, path)
            if value is not None and parameter.base == "tuple":
                return self._struct(parameter, value, path)
            return _scalar(parameter, value)
        except Unfit as refusal:
            self.problems.append(Problem(refusal.code, f"{path} ({parameter.type})", str(refusal)))
            return None

    def _array(self, parameter: AbiParameter, value: JsonValue, path: str) -> list[object]:
        items = structure(value)
        if not isinstance(items, list):
            raise Unfit(f"{shown(value)} is not a JSON array")
        length = parameter.dimensions[-1]
        if length is not None and len(items) != length:
            raise Unfit(f"needs {length} elements, not {len(items)}")
        element = parameter.element
        return [self.read(element, item, f"{path}[{i}]") for i, item in enumerate(items)]

    def _struct(self, parameter: AbiParameter, value: JsonValue, path: str) -> list[object]:
        members, given = parameter.components, structure(value)
        if isinstance(given, dict):
            names = [member.name for member in members]
            if "" in names or len(set(names)) < len(names):
                raise Unfit("has fields without a name of their own: give a JSON array")
            missing = [name for name in names if given.get(name) is None]
            if missing:
                raise Unfit(f"lacks the field {', '.join(missing)}")
            given = [given[name] for name in names]
        if not isinstance(given, list):
            raise Unfit(f"{shown(value)} is neither a JSON object nor a JSON array")
        if len(given) != len(members):
            raise Unfit(f"needs {len(members)} fields, not {len(given)}")
        return [
            self.read(member, item, f"{path}.{member.name or i}")
            for i, (member, item) in enumerate(zip(members, given, strict=True))
        ]


def _scalar(parameter: AbiParameter, value: JsonValue) -> object:
    """A value of neither an array nor a struct; raises Unfit."""
    if value is None:
        raise Unfit("is missing")
    read = _SCALARS.get(parameter.base)
    if read is None or parameter.dimensions:
        raise Unfit("is made of several values")
    return read(parameter, value)


def _stays_whole(parameter: AbiParameter, value: JsonValue) -> bool:
    if parameter.dimensions or parameter.base == "tuple":
        return True
    return isinstance(value, str) and parameter.base in ("string", "bytes")


def whole_number(value: JsonValue) -> int:
    """The integer of decimal digits or 0x hex, trimmed, "010" being ten; raises Unfit."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        return int(value)
    text = value.strip() if isinstance(value, str) else ""
    if not (_DECIMAL.fullmatch(text) or _HEX.fullmatch(text)):
        raise Unfit(f"{shown(value)} is not a whole number (decimal, or 0x and hexadecimal)")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    base = 16 if digits[:2] in ("0x", "0X") else 10
    digits = digits[2:] if base == 16 else digits
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS:
        raise Unfit(f"{shown(value)} is out of range")
    return sign * int(digits, base)


def _integer(parameter: AbiParameter, value: JsonValue) -> int:
    number = whole_number(value)
    signed = parameter.base == "int"
    low = -(2 ** (parameter.size - 1)) if signed else 0
    high = 2 ** (parameter.size - 1 if signed else parameter.size) - 1
    if not low <= number <= high:
        raise Unfit(f"{shown(value)} is out of range")
    return number


def _fixed_point(parameter: AbiParameter, value: JsonValue) -> Decimal:
    text = value.strip() if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not _FRACTION.fullmatch(text):
        raise Unfit(f"{shown(value)} is not a decimal number")
    number = Decimal(text)
    if len(text.partition(".")[2].rstrip("0")) > parameter.decimals:
        raise Unfit(f"{shown(value)} has more than {parameter.decimals} decimals")
    return number


def _boolean(_parameter: AbiParameter, value: JsonValue) -> bool:
    text = value.strip().lower() if isinstance(value, str) else json.dumps(value)
    if text not in _BOOLEANS:
        raise Unfit(f"{shown(value)} is neither true nor false")
    return _BOOLEANS[text]


def _address(_parameter: AbiParameter, value: JsonValue) -> bytes:
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str) or not is_address(text):
        raise Unfit(
            f"{shown(value)} is not an address (0x and 40 hexadecimal digits)", "INVALID_ADDRESS"
        )
    return bytes.fromhex(text[2:])


def _bytes(parameter: AbiParameter, value: JsonValue) -> bytes:
    if not isinstance(value, str):
        raise Unfit(f"{shown(value)} is neither 0x and hexadecimal nor a text")
    is_hex = value.strip()[:2] in ("0x", "0X")
    raw = _hexadecimal(value.strip()) if is_hex else _utf8(value)
    if not parameter.size:
        return raw
    if len(raw) > parameter.size or not raw or (is_hex and len(raw) != parameter.size):
        raise Unfit(f"needs {parameter.size} bytes, not {len(raw)}")
    return raw


def _hexadecimal(text: str) -> bytes:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", text[2:]) is None:
        raise Unfit(f"{shown(text)} is not pairs of hexadecimal digits after 0x")
    return bytes.fromhex(text[2:])


def _text(_parameter: AbiParameter, value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    _utf8(text)
    return text


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Unfit("holds half a character (a lone surrogate)") from error


_SCALARS: dict[str, Callable[[AbiParameter, JsonValue], object]] = {
    "int": _integer,
    "uint": _integer,
    "fixed": _fixed_point,
    "ufixed": _fixed_point,
    "bool": _boolean,
    "address": _address,
    "bytes": _bytes,
    "function": _bytes,
    "string": _text,
}
