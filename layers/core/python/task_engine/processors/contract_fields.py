"""applyToFields: which values of a contract's methods become exact decimal numbers."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.evm.abi.formatting import MAX_DECIMALS
from task_engine.evm.abi.item import AbiFunction, member_names
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.model.json_value import JsonValue
from task_engine.processors.rest_config import invalid


def decimals_of(method: str, values: Sequence[JsonValue]) -> int:
    """The number of decimals that a method's first output gives; raises NodeError for anything but
    a whole number from 0 to 78."""
    text = str(values[0]) if values else ""
    if text.isdecimal() and len(text) <= 3 and int(text) <= MAX_DECIMALS:
        return int(text)
    raise invalid(f"method {method}: its value is no number of decimals, which applyToFields needs")


def require_number(function: AbiFunction, fields: Sequence[str]) -> None:
    """Raises NodeError unless `fields`, the names after the method's in a target, lead to a whole
    number or an array of them; without names the method must have one output."""
    outputs = function.outputs
    if len(outputs) == 1 and not outputs[0].name:
        _require_number(function, outputs[0], fields)
        return
    names = member_names(outputs, "output")
    path = fields or (names if len(names) == 1 else ())
    if not path or path[0] not in names:
        raise invalid(
            f"applyToFields: {function.name} needs one of its fields after a dot: "
            f"{', '.join(names) or 'it has none'}"
        )
    _require_number(function, outputs[names.index(path[0])], path[1:])


def _require_number(function: AbiFunction, output: AbiParameter, fields: Sequence[str]) -> None:
    """Raises NodeError unless the fields lead to an integer."""
    at = output
    for field in fields:
        members = {member.name: member for member in at.components}
        if not field or field not in members:
            known = ", ".join(filter(None, members)) or "none"
            text = f"applyToFields: {function.name} has no field {field[:60]!r}; it has {known}"
            raise invalid(text)
        at = members[field]
    if at.base not in ("int", "uint"):
        spelled = ".".join((function.name, *fields))
        raise invalid(f"applyToFields: {spelled} is no whole number but {at.type}")
