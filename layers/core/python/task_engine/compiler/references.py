"""What a node's configuration reads: variables of the run and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from task_engine.model.json_value import JsonValue

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SECRET = re.compile(
    r"\bapContext\s*(?:\?\.|\.)\s*configVars\s*"
    r"(?:(?:\?\.|\.)\s*([A-Za-z_]\w*)|(?:\?\.)?\[\s*(?:\"([^\"]+)\"|'([^']+)')\s*\])"
)


@dataclass(frozen=True, slots=True)
class References:
    """Identifiers that occur anywhere in a configuration (more than are meant: a word in a text is
    one too, and costs a read at most), and names of secrets."""

    identifiers: frozenset[str]
    secrets: tuple[str, ...]


def references_of(config: Mapping[str, JsonValue]) -> References:
    """Linear in the size of the configuration; nested runners are included."""
    identifiers: set[str] = set()
    secrets: dict[str, None] = {}
    for text in texts_of(dict(config)):
        identifiers.update(_IDENTIFIER.findall(text))
        if "configVars" in text:
            for dotted, double, single in _SECRET.findall(text):
                secrets[dotted or double or single] = None
    return References(frozenset(identifiers), tuple(secrets))


def texts_of(value: JsonValue) -> Iterator[str]:
    """Every text in a JSON value, keys included; an ABI is left out, it is never templated."""
    stack: list[JsonValue] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, list):
            stack.extend(reversed(current))
        elif isinstance(current, dict):
            for key, item in reversed(current.items()):
                if key != "contractAbi":
                    stack.append(item)
                    stack.append(key)
