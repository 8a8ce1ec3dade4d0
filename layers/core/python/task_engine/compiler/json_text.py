"""JSON inside of texts."""

from __future__ import annotations

import json
import re

_MOST_LEVELS = 400
# A text without an end is taken whole: looking for another end from each quote is quadratic.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def is_json(text: str) -> bool:
    """Whether a text is JSON, of up to 400 levels: the parser's depth is the interpreter's."""
    if text.count("[") + text.count("{") > _MOST_LEVELS and _depth(text) > _MOST_LEVELS:
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _depth(text: str) -> int:
    level = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest
