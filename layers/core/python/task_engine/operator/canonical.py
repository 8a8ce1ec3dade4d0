"""JSON in one spelling, for signatures and digests.

As RFC 8785 (JSON Canonicalization Scheme), but for numbers: only integers, of any size, in decimal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from task_engine.evm.address import keccak256
from task_engine.model.json_value import JsonValue


def canonical(value: JsonValue | Mapping[str, JsonValue]) -> bytes:
    """The bytes of a value; raises ValueError for fractions and for half characters."""
    text = json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def digest_of(value: JsonValue | Mapping[str, JsonValue]) -> str:
    """The Keccak-256 hash of the canonical bytes, as 0x and lower-case hex."""
    return "0x" + keccak256(canonical(value)).hex()


def _sorted(value: JsonValue | Mapping[str, JsonValue]) -> JsonValue:
    """With object members in the order of their names' UTF-16 code units."""
    if isinstance(value, float):
        raise ValueError("a fraction has no canonical form here: send it as text")
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return {name: _sorted(value[name]) for name in names}
    return value
