"""JSON schemas, written short (JSON Schema 2020-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
INT64: Schema = {"type": "integer", "format": "int64"}
ANY: Schema = {}
OBJECT: Schema = {"type": "object"}
ADDRESS: Schema = {
    "type": "string",
    "pattern": "^0[xX][0-9a-fA-F]{40}$",
    "examples": ["0x5a8A51f4C6F4A2F2b9D4d8e9B2C1d3E4F5061728"],
}
ID: Schema = {
    "type": "string",
    "pattern": "^[0-7][0-9a-hjkmnp-tv-z]{25}$",
    "description": "A ULID in lower case.",
    "examples": ["01kdvt7qbgyx0wd3f8hq2m4n5p"],
}
MILLISECONDS: Schema = {
    "type": "integer",
    "format": "int64",
    "minimum": 0,
    "description": "Milliseconds since the epoch.",
    "examples": [1767225600000],
}
DECIMAL: Schema = {
    "type": "string",
    "pattern": "^[0-9]{1,78}$",
    "description": "A whole number as a decimal text.",
    "examples": ["0"],
}
CHAIN_ID: Schema = {
    "type": "integer",
    "format": "int64",
    "minimum": 1,
    "examples": [11155111],
}


def ref(name: str) -> Schema:
    """A schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def told(schema: Schema, description: str) -> Schema:
    """The same schema with words of its own."""
    return {**schema, "description": description}


def words(values: Iterable[StrEnum] | Iterable[str]) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": [str(value) for value in values]}


def several(item: Schema, **more: object) -> Schema:
    """A list."""
    return {"type": "array", "items": item, **more}


def fields(
    required: Mapping[str, Schema],
    optional: Mapping[str, Schema] | None = None,
    description: str = "",
) -> Schema:
    """An object; what is optional is absent when unset, never null."""
    schema: Schema = {"type": "object", "properties": {**required, **(optional or {})}}
    if required:
        schema["required"] = list(required)
    if description:
        schema["description"] = description
    return schema


def closed(schema: Schema) -> Schema:
    """An object that has no other fields: what a request may send."""
    return {**schema, "additionalProperties": False}


def page_of(name: str) -> Schema:
    """A page of a list."""
    return fields({"data": several(ref(name)), "pageInfo": ref("PageInfo")})
