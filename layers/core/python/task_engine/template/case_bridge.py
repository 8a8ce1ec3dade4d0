"""snake_case and camelCase: each key also answers to its other spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from task_engine.model.json_value import JsonValue

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ACRONYM = re.compile(r"(?<=[A-Z])([A-Z][a-z])")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")


@lru_cache(maxsize=4096)
def other_spelling(key: str) -> str:
    """`user_id` for `userId` and the reverse, `http_request` for `HTTPRequest`; "" for a key that
    has none: one without humps and underscores, or with characters of another kind."""
    if _PLAIN.fullmatch(key) is None:
        return ""
    other = _camel(key) if "_" in key else _snake(key)
    return "" if other == key else other


def bridged(mapping: Mapping[str, JsonValue], name: str, default: JsonValue) -> JsonValue:
    """The value of the first key whose other spelling is `name`; linear in the number of keys."""
    for key, value in mapping.items():
        if other_spelling(key) == name:
            return value
    return default


def _camel(key: str) -> str:
    first, *rest = [part for part in key.split("_") if part]
    if key.isupper():
        return first.lower() + "".join(part.capitalize() for part in rest)
    return first + "".join(part[0].upper() + part[1:] for part in rest)


def _snake(key: str) -> str:
    return _HUMP.sub(r"\1_\2", _ACRONYM.sub(r"_\1", key)).lower()
