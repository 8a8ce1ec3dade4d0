"""snake_case keys answer to their camelCase spelling, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from task_engine.model.json_value import JsonValue

_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=4096)
def alias_of(key: str) -> str | None:
    """The other spelling of a key; None for one that has none (or other characters)."""
    if not _PLAIN.fullmatch(key):
        return None
    if "_" in key:
        first, *rest = [word for word in key.split("_") if word] or [""]
        other = first + "".join(word[:1].upper() + word[1:] for word in rest)
    else:
        other = _WORD_START.sub("_", key).lower()
    return other if other and other != key else None


def bridged(mapping: Mapping[str, JsonValue], key: str) -> tuple[bool, JsonValue]:
    """(found, value) of a key under either spelling; an existing key is never hidden."""
    if key in mapping:
        return True, mapping[key]
    for other, value in mapping.items():
        if alias_of(other) == key:
            return True, value
    return False, None
