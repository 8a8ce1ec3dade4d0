"""Plain paths such as `node.data.list[0].x`: read and walked without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from task_engine.clock import SystemClock
from task_engine.model.json_value import JsonValue
from task_engine.template.case_bridge import bridged

Path = tuple[str | int, ...]


class Undefined:
    """The type of UNDEFINED: no value, as apart from null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final[JsonValue] = cast("JsonValue", Undefined())

_ROOT = re.compile(r"[A-Za-z_$][\w$]*(?:-[\w$-]+)?", re.ASCII)
_STEP = re.compile(
    r"""(?:\?)?\.([\w$-]+)                          # .name, .0, .with-hyphens, ?.name
      | (?:\?\.)?\[\s*(?:(\d{1,9})|"([^"\\]*)"|'([^'\\]*)')\s*\]   # [0], ["name"], ['name']
    """,
    re.ASCII | re.VERBOSE,
)


def parse_path(text: str) -> Path | None:
    """The steps of a plain path, or None for anything that only JavaScript can evaluate.

    A hyphen in a step after the first belongs to the key; digits after a dot are an index.
    """
    found = _ROOT.match(text)
    if found is None:
        return None
    steps: list[str | int] = [found.group()]
    at = found.end()
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            return None
        name, index, double, single = step.groups()
        if name is not None:
            steps.append(int(name) if _is_index(name) else name)
        else:
            steps.append(int(index) if index is not None else (double or single or ""))
        at = step.end()
    return tuple(steps)


def _is_index(name: str) -> bool:
    return name.isdigit() and len(name) < 10 and (name == "0" or name[0] != "0")


def walk(path: Path, variables: Mapping[str, JsonValue]) -> JsonValue:
    """The value at `path`, UNDEFINED when there is none.

    Objects answer to either spelling of a key, lists and texts to an index and to `length`.
    """
    root = str(path[0])
    if root not in variables:
        return _clock_value(path)
    value = variables[root]
    for step in path[1:]:
        if isinstance(value, dict):
            known = isinstance(step, str) and step in value
            value = value[step] if known else _other_key(value, step)  # type: ignore[index]
        else:
            value = _member(value, step)
        if value is UNDEFINED:
            return UNDEFINED
    return value


def _other_key(mapping: dict[str, JsonValue], step: str | int) -> JsonValue:
    if isinstance(step, int):
        return mapping.get(str(step), UNDEFINED)
    return bridged(mapping, step, UNDEFINED)


def _member(value: JsonValue, step: str | int) -> JsonValue:
    if isinstance(value, list):
        if isinstance(step, int):
            return value[step] if step < len(value) else UNDEFINED
        return len(value) if step == "length" else UNDEFINED
    if isinstance(value, str):
        units = value if value.isascii() else _utf16(value)
        if isinstance(step, int):
            return units[step] if step < len(units) else UNDEFINED
        return len(units) if step == "length" else UNDEFINED
    return UNDEFINED


def _utf16(text: str) -> str:
    """One character per UTF-16 unit, as JavaScript counts."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(raw[i : i + 2], "little")) for i in range(0, len(raw), 2))


def _clock_value(path: Path) -> JsonValue:
    """`date.now` in milliseconds, `date.now_iso` as RFC 3339, unless a variable is named so."""
    if path == ("date", "now"):
        return SystemClock().now_ms()
    if path == ("date", "now_iso"):
        return iso_time(SystemClock().now_ms())
    return UNDEFINED


def iso_time(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds; imports datetime only when asked."""
    from datetime import UTC, datetime  # noqa: PLC0415

    return (
        datetime.fromtimestamp(ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
