"""DynamoDB items as Python values and back.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypeAlias

Item: TypeAlias = dict[str, Any]


def to_attribute(value: object) -> dict[str, Any]:
    """str, bool, int, float, bytes, None, list, mapping and a set of texts, which may not be empty;
    raises TypeError for anything else."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(item) for item in value]}
    if isinstance(value, frozenset):
        return {"SS": sorted(str(item) for item in value)}
    if isinstance(value, Mapping):
        return {"M": {str(key): to_attribute(item) for key, item in value.items()}}
    raise TypeError(f"{type(value).__name__} can't be an attribute")


def from_attribute(attribute: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the item's own type
    """The value of an attribute; numbers are int where they are whole."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "B":
            return base64.b64decode(value)
        case "NULL":
            return None
        case "L":
            return [from_attribute(item) for item in value]
        case "M":
            return {key: from_attribute(item) for key, item in value.items()}
        case "SS":
            return frozenset(value)
    raise TypeError(f"attributes of type {kind} are not used here")


def to_item(values: Mapping[str, object]) -> Item:
    """An item for the wire."""
    return {key: to_attribute(value) for key, value in values.items()}


def from_item(item: Mapping[str, Any]) -> Item:
    """An item's values."""
    return {key: from_attribute(value) for key, value in item.items()}
