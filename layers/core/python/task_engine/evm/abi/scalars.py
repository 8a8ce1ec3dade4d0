"""What users write for a value that is neither an array nor a struct."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal

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


class Unfit(ValueError):
    """A value that does not fit its type; the text says why. `code` is the error word."""

    def __init__(self, reason: str, code: str = INVALID) -> None:
        super().__init__(reason)
        self.code = code


def shown(value: JsonValue) -> str:
    """A value for a message: in full when short, else only its length (never a part of it)."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"a value of {len(text)} characters"


def scalar(parameter: AbiParameter, value: JsonValue) -> object:
    """A value of neither an array nor a struct; raises Unfit."""
    if value is None:
        raise Unfit("is missing")
    read = _READERS.get(parameter.base)
    if read is None or parameter.dimensions:
        raise Unfit("is made of several values")
    return read(parameter, value)


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


_READERS: dict[str, Callable[[AbiParameter, JsonValue], object]] = {
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
