"""What users write, as text or JSON, into the values of a contract's types."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from task_engine.errors import Problem
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.evm.abi.scalars import Unfit, scalar, shown
from task_engine.model.json_value import JsonValue

_MAX_NESTING = 64
# A text without an end is taken whole: looking for another end from each quote is quadratic.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def spread(inputs: Sequence[AbiParameter], params: Sequence[JsonValue]) -> Sequence[JsonValue]:
    """The positional values that `params` stand for.

    One JSON array (or its text) given where the method does not take exactly one array or struct
    is the list of the values themselves; but a text for one text or bytes is that text.
    """
    if len(params) != 1:
        return params
    [only] = params
    if isinstance(only, str) and not only.lstrip().startswith("["):
        return params
    if len(inputs) == 1 and _stays_whole(inputs[0], only):
        return params
    try:
        whole = structure(only)
    except Unfit:
        return params
    return whole if isinstance(whole, list) else params


def coerce_all(
    inputs: Sequence[AbiParameter], values: Sequence[JsonValue]
) -> tuple[list[object], list[Problem]]:
    """The typed values and everything wrong with them, a problem's path naming its place.

    `values` are as many as `inputs`. Integers become int, fixed-point numbers Decimal, addresses
    and bytes bytes, arrays and structs lists; a value with a problem is None.
    """
    try:
        return [
            scalar(parameter, value) for parameter, value in zip(inputs, values, strict=True)
        ], []
    except Unfit:
        # Something is wrong or no scalar: once more, with a place for every problem.
        reading = _Reading()
    typed = [
        reading.read(parameter, value, f"parameter {number} {parameter.name}".rstrip())
        for number, (parameter, value) in enumerate(zip(inputs, values, strict=True), start=1)
    ]
    return typed, reading.problems


def structure(value: JsonValue) -> JsonValue:
    """`value`, parsed first when it is the text of a JSON array or object; raises Unfit.

    Fractions stay texts, so that no digit of theirs is lost.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed: JsonValue = json.loads(_shallow(value), parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{shown(value)} is not JSON") from error
    return parsed


def _shallow(text: str) -> str:
    """`text`, unless its brackets nest so deep that parsing it could overflow the C stack.

    The parser stops at the interpreter's recursion limit, which libraries are free to raise.
    """
    if text.count("[") + text.count("{") > _MAX_NESTING:
        depth = 0
        for bracket in _BRACKETS.findall(text):
            depth += (bracket in "[{") - (bracket in "]}")
            if depth > _MAX_NESTING:
                raise ValueError("nested too deep")
    return text


class _Reading:
    """One pass over the values of a call, which goes on after a problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, parameter: AbiParameter, value: JsonValue, path: str) -> object:
        try:
            if value is not None and parameter.dimensions:
                return self._array(parameter, value, path)
            if value is not None and parameter.base == "tuple":
                return self._struct(parameter, value, path)
            return scalar(parameter, value)
        except Unfit as refusal:
            self.problems.append(Problem(refusal.code, f"{path} ({parameter.type})", str(refusal)))
            return None

    def _array(self, parameter: AbiParameter, value: JsonValue, path: str) -> list[object]:
        items = structure(value)
        if not isinstance(items, list):
            raise Unfit(f"{shown(value)} is not a JSON array")
        length = parameter.dimensions[-1]
        if length is not None and len(items) != length:
            raise Unfit(f"needs {length} elements, not {len(items)}")
        element = parameter.element
        return [self.read(element, item, f"{path}[{i}]") for i, item in enumerate(items)]

    def _struct(self, parameter: AbiParameter, value: JsonValue, path: str) -> list[object]:
        members, given = parameter.components, structure(value)
        if isinstance(given, dict):
            names = [member.name for member in members]
            if "" in names or len(set(names)) < len(names):
                raise Unfit("has fields without a name of their own: give a JSON array")
            missing = [name for name in names if given.get(name) is None]
            if missing:
                raise Unfit(f"lacks the field {', '.join(missing)}")
            given = [given[name] for name in names]
        if not isinstance(given, list):
            raise Unfit(f"{shown(value)} is neither a JSON object nor a JSON array")
        if len(given) != len(members):
            raise Unfit(f"needs {len(members)} fields, not {len(given)}")
        return [
            self.read(member, item, f"{path}.{member.name or i}")
            for i, (member, item) in enumerate(zip(members, given, strict=True))
        ]


def _stays_whole(parameter: AbiParameter, value: JsonValue) -> bool:
    if parameter.dimensions or parameter.base == "tuple":
        return True
    return isinstance(value, str) and parameter.base in ("string", "bytes")
