"""Base units into decimal numbers, exactly, and into the values that a node's config names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from task_engine.errors import NodeError
from task_engine.evm.abi.scalars import INVALID, shown
from task_engine.model.json_value import JsonValue

MAX_DECIMALS = 78
_WHOLE = re.compile(r"-?[0-9]{1,78}")


def apply_decimals(raw: int, decimals: int) -> str:
    """`raw` / 10^`decimals` as a decimal text without loss: 1500000, 6 is "1.5".

    No exponent, no trailing zeros, no "-0". Raises NodeError unless 0 <= `decimals` <= 78 (the
    digits of the largest uint256).
    """
    if not 0 <= decimals <= MAX_DECIMALS:
        raise NodeError(f"decimals must be from 0 to {MAX_DECIMALS}", code=INVALID)
    whole, fraction = divmod(abs(raw), 10**decimals)
    digits = str(fraction).rjust(decimals, "0").rstrip("0") if decimals else ""
    return ("-" if raw < 0 else "") + str(whole) + (f".{digits}" if digits else "")


def apply_to_fields(
    values: Mapping[str, JsonValue],
    fields: Sequence[str],
    decimals: int,
    *,
    keep_raw: bool = False,
) -> dict[str, JsonValue]:
    """A copy of `values` (by method or event) in which every target is a decimal number.

    A target is `method`, `method.field` or `Event.field`, deeper by more dots; `method` alone may
    name an object of one field; of an array every element is meant. `keep_raw` leaves the base
    units beside the number as `<field>Raw`. A target whose method or event is not in `values` is
    passed over (the method failed, the event was not emitted). Raises NodeError for a field that
    is not there and for a value that is no whole number.
    """
    apply_decimals(0, decimals)
    formatted: dict[str, JsonValue] = dict(values)
    for target in fields:
        root, _, rest = target.strip().partition(".")
        if root not in values:
            continue
        path = rest.split(".") if rest else []
        held = formatted[root]
        if not path and isinstance(held, dict) and len(held) == 1:
            path = list(held)
        _format_at(formatted, [root, *path], target, decimals, keep_raw=keep_raw)
    return formatted


def _format_at(
    owner: dict[str, JsonValue], path: list[str], target: str, decimals: int, *, keep_raw: bool
) -> None:
    """Replaces the value at `path`, copying the objects on the way."""
    for step in path[:-1]:
        below = owner.get(step)
        if not isinstance(below, dict):
            raise _unfit(target, "is not there")
        copied = dict(below)
        owner[step] = copied
        owner = copied
    last = path[-1]
    if last not in owner:
        raise _unfit(target, "is not there")
    raw = owner[last]
    owner[last] = _formatted(raw, target, decimals)
    if keep_raw:
        owner[f"{last}Raw"] = raw


def _formatted(raw: JsonValue, target: str, decimals: int) -> JsonValue:
    if isinstance(raw, list):
        return [_formatted(item, target, decimals) for item in raw]
    if isinstance(raw, bool) or not _WHOLE.fullmatch(str(raw)):
        raise _unfit(target, f"is not a whole number: {shown(raw)}")
    return apply_decimals(int(str(raw)), decimals)


def _unfit(target: str, reason: str) -> NodeError:
    return NodeError(f"applyToFields: {target[:80]} {reason}", code=INVALID)
