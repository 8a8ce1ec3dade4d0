"""Texts of others on a terminal: nothing in them may steer it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from task_engine_client.document import Json

_SHOWN = 100


def printable(text: str) -> str:
    """The text with control characters (escape sequences too) replaced; lines stay lines."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def brief(value: Json, shown: int = _SHOWN) -> str:
    """A value in one short line; texts as they are, everything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(printable(text).split())
    return line if len(line) <= shown else line[: shown - 1] + "…"


def moment(milliseconds: int | None) -> str:
    """A time of the API in the local zone, "" without one."""
    if milliseconds is None:
        return ""
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        return str(milliseconds)
    return at.strftime("%Y-%m-%d %H:%M:%S")


def duration(start: int | None, end: int | None) -> str:
    """The time between two moments in ms, "" when one is missing."""
    if start is None or end is None:
        return ""
    took = max(0, end - start)
    return f"{took} ms" if took < 10_000 else f"{took / 1000:.1f} s"
