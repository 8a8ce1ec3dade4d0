"""Plain paths such as `node.data.items[0].name`: resolved without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from task_engine.model.json_value import JsonValue
from task_engine.template.case_bridge import bridged

_FIRST = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NEXT = re.compile(
    r"(?:\?\.|\.)([A-Za-z_$][A-Za-z0-9_$-]*|[0-9]+)"
    r"|\[\s*(?:([0-9]+)|\"([^\"\\]*)\"|'([^'\\]*)')\s*\]"
)
# Words that look like a path of one segment and are values.
_VALUES = frozenset({"true", "false", "null", "undefined", "NaN", "Infinity", "this"})
# Properties that JavaScript gives to every list and text.
_COMPUTED = frozenset({"length"})

Path = tuple[str | int, ...]


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path | None:
    """The segments of a plain path, names as text and indexes as numbers; None for anything else.

    A hyphen belongs to a key from the second segment on (`t.headers.x-token`); `list.0` is
    `list[0]`.
    """
    first = _FIRST.match(text)
    if first is None or first.group() in _VALUES:
        return None
    segments: list[str | int] = [first.group()]
    position = first.end()
    while position < len(text):
        found = _NEXT.match(text, position)
        if found is None or found.group().endswith("-"):
            return None
        dotted, index, double, single = found.groups()
        if index is not None or (dotted is not None and dotted.isdigit()):
            segments.append(int(index or dotted))
        else:
            segments.append(next(part for part in (dotted, double, single) if part is not None))
        position = found.end()
    return tuple(segments)


def resolve(path: Path, variables: Mapping[str, JsonValue]) -> tuple[bool, JsonValue]:
    """(found, value); a null is found, a missing key or index is not."""
    found, value = bridged(variables, str(path[0]))
    for segment in path[1:]:
        if not found:
            return False, None
        found, value = _step(value, segment)
    return found, value


def _step(value: JsonValue, segment: str | int) -> tuple[bool, JsonValue]:
    if isinstance(value, dict):
        return bridged(value, str(segment))
    if isinstance(value, list | str):
        if isinstance(segment, int):
            inside = segment < len(value)
            return inside, value[segment] if inside else None
        if segment in _COMPUTED:
            return True, len(value)
    return False, None
