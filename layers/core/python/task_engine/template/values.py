"""Values as a template writes them into a text."""

from __future__ import annotations

import json
import math

from task_engine.model.json_value import JsonValue


def to_text(value: JsonValue) -> str:
    """A text as it is; whole numbers plainly, others in the shortest form that reads back the
    same, never with an exponent; lists and objects as JSON."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def number_text(value: float) -> str:
    """Plain decimal digits."""
    if not math.isfinite(value):
        return str(value)
    if value.is_integer():
        return str(int(value))
    shortest = repr(value)
    if "e" not in shortest:
        return shortest
    from decimal import Decimal  # noqa: PLC0415 - for the few that are very small

    return format(Decimal(shortest), "f")


def date_text(iso: str) -> str:
    """`2024-05-01 10:00:00.123 +0000 UTC` of an ISO 8601 time in UTC."""
    return iso.replace("T", " ").removesuffix("Z") + " +0000 UTC"
