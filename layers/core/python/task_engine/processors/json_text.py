"""JSON from strangers, parsed without faith in its depth."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import NoReturn

from task_engine.model.json_value import JsonValue

MAX_DEPTH = 400
# A text without an end is taken whole: looking for another end from each quote is quadratic.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(byte for byte in range(256) if byte not in _STEPS)


def parse_json(text: str) -> JsonValue:
    """Strict JSON (RFC 8259: no NaN), numbers that a double holds, at most `MAX_DEPTH` levels
    deep; raises ValueError.

    The depth is counted first: the parser recurses in C, and where some library has raised the
    interpreter's recursion limit it would take the process down.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError("JSON is nested too deeply")
    value: JsonValue = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    return value


def _depth(text: str) -> int:
    brackets = _STRINGS.sub(b"", text.encode("utf-8", "surrogatepass")).translate(None, _OTHERS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        # It would be written as Infinity, which is no JSON.
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
