"""What a node's configuration reads: variables of the run and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from task_engine.model.json_value import JsonValue

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
# `configVars.NAME`, `configVars["NAME"]`, and the same after `apContext["configVars"]`.
_SECRET = re.compile(
    r"\bconfigVars\b(?:[\"']\s*\])?\s*"
    r"(?:(?:\?\.|\.)\s*([A-Za-z_$][\w$-]*)|(?:\?\.)?\[\s*(?:\"([^\"]+)\"|'([^']+)'|`([^`]+)`)\s*\])"
)
# `const { NAME, OTHER: mine } = apContext.configVars`
_TAKEN_APART = re.compile(r"\{([^{}]*)\}\s*=\s*apContext\b[^;\n]{0,20}\bconfigVars\b")


@dataclass(frozen=True, slots=True)
class References:
    """Identifiers that occur anywhere in a configuration (more than are meant: a word in a text is
    one too, and costs a read at most), and names of secrets."""

    identifiers: frozenset[str]
    secrets: tuple[str, ...]


def references_of(config: Mapping[str, JsonValue]) -> References:
    """Linear in the size of the configuration; nested runners are included. Secrets are found where
    their names stand as such: after `configVars`, or taken apart from it."""
    identifiers: set[str] = set()
    secrets: dict[str, None] = {}
    for text in texts_of(dict(config)):
        identifiers.update(_IDENTIFIER.findall(text))
        if "configVars" in text:
            for spellings in _SECRET.findall(text):
                name = next(spelling for spelling in spellings if spelling)
                secrets[name] = None
                if "-" in name:
                    # A key with a hyphen in a path, a subtraction in JavaScript.
                    secrets[name.partition("-")[0]] = None
            for names in _TAKEN_APART.findall(text):
                secrets.update(dict.fromkeys(_IDENTIFIER.findall(names)))
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
