"""What a piece of JavaScript gets to see: the variables it names, as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.template.case_bridge import other_spelling

_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
# A name after a dot is a property's, but for the three of a spread.
_ROOT = re.compile(r"(?:(?<=\.\.\.)|(?<![\w$.]))[A-Za-z_$][\w$]*", re.ASCII)
_KEY = re.compile(r'"([A-Za-z][A-Za-z0-9_]*)":')
_EVERYTHING = frozenset(["globalThis", "eval", "Function", "this"])
_FIXED = frozenset(["undefined", "NaN", "Infinity", "globalThis"])


@dataclass(frozen=True, slots=True)
class Bindings:
    """Globals by name as JSON texts, and the other spellings of keys that the code uses."""

    texts: Mapping[str, str]
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Characters in all."""
        return sum(len(text) for text in self.texts.values())


def bind(source: str, variables: Mapping[str, JsonValue]) -> Bindings:
    """The variables that `source` may read by name (all of them when it reaches for the global
    object). Keys are bridged to the other spellings that occur as words in `source`."""
    words = set(_NAME.findall(source))
    chosen = variables if words & _EVERYTHING else variables.keys() & set(_ROOT.findall(source))
    texts = {
        name: to_json(variables[name])
        for name in chosen
        if name not in _FIXED and _NAME.fullmatch(name)
    }
    return Bindings(texts, _aliases(texts, words))


def _aliases(texts: Mapping[str, str], words: set[str]) -> tuple[tuple[str, str], ...]:
    keys: set[str] = set()
    for text in texts.values():
        keys.update(_KEY.findall(text))
    pairs = ((key, other_spelling(key)) for key in sorted(keys))
    return tuple((key, other) for key, other in pairs if other in words)


def to_json(value: JsonValue) -> str:
    """ASCII JSON that JavaScript can parse; numbers that are none become null."""
    try:
        try:
            return json.dumps(value, separators=(",", ":"), allow_nan=False)
        except ValueError:
            return json.dumps(_without_nan(value), separators=(",", ":"))
    except RecursionError as error:
        raise NodeError("a variable is nested too deeply") from error


def _without_nan(value: JsonValue) -> JsonValue:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return value
