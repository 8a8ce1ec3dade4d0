"""A script's source made ready: imports as requires, templates as values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope
from task_engine.template.render import MissingVariables, Piece, pieces_of, value_of

_IMPORT = re.compile(
    r"^[ \t]*import\s+(?:(?P<all>\*\s*as\s+(?P<star>[\w$]+))|(?:(?P<default>[\w$]+)\s*,?\s*)?"
    r"(?:\{(?P<names>[^}]*)\})?)\s*from\s*(?P<quote>['\"])(?P<module>[^'\"]+)(?P=quote)\s*;?",
    re.MULTILINE,
)
_BODY_WORDS = re.compile(r"\b(?:return|require|import)\b")
BOUND = "__bound"


@dataclass(frozen=True, slots=True)
class Script:
    """`source` with `__bound[n]` where templates stood; `body` = a function body, otherwise its
    last expression's value counts."""

    source: str
    bound: list[JsonValue]
    body: bool


def prepare(source: str, scope: Scope) -> Script:
    """Bind templates as values: outside of quotes as `__bound[n]`, inside as escaped text.

    Raises MissingVariables naming every template that resolved to nothing.
    """
    bound: list[JsonValue] = []
    parts: list[str] = []
    missing: list[str] = []
    quotes = _Quotes()
    for piece in pieces_of(source):
        if not piece.expression:
            quotes.read(piece.text)
            parts.append(piece.text)
            continue
        parts.append(_bind(piece, scope, (quotes.open, bound, missing)))
    if missing:
        raise MissingVariables(tuple(dict.fromkeys(missing)), "source")
    text = "".join(parts)
    body = _BODY_WORDS.search(text) is not None
    return Script(_IMPORT.sub(_require, text), bound, body)


def _bind(piece: Piece, scope: Scope, into: tuple[str, list[JsonValue], list[str]]) -> str:
    quote, bound, missing = into
    found, value = value_of(piece, scope)
    if not found or value is None:
        missing.append(piece.text)
        return ""
    if quote:
        return _escaped(value, quote)
    bound.append(value)
    return f"{BOUND}[{len(bound) - 1}]"


def _escaped(value: JsonValue, quote: str) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    escaped = json.dumps(text)[1:-1]
    if quote == "'":
        return escaped.replace("'", "\\'")
    if quote == "`":
        return escaped.replace("`", "\\`").replace("${", "\\${")
    return escaped


class _Quotes:
    """Which quote is open after the text read so far; comments are passed over."""

    def __init__(self) -> None:
        self.open = ""
        self._comment = ""

    def read(self, text: str) -> None:
        position = 0
        while position < len(text):
            position += self._step(text, position)

    def _step(self, text: str, position: int) -> int:
        two, char = text[position : position + 2], text[position]
        if self._comment:
            if (self._comment == "//" and char == "\n") or (self._comment == "/*" and two == "*/"):
                self._comment = ""
            return 1
        if self.open:
            if char == "\\":
                return 2
            # A line's end closes a quote that was none (in a regular expression).
            if char == self.open or (char == "\n" and self.open != "`"):
                self.open = ""
            return 1
        if two in ("//", "/*"):
            self._comment = two
            return 2
        if char in "'\"`":
            self.open = char
        return 1


def _require(found: re.Match[str]) -> str:
    module = json.dumps(found["module"])
    if found["star"]:
        return f"const {found['star']} = require({module});"
    statements = []
    if found["default"]:
        statements.append(f"const {found['default']} = __default(require({module}));")
    if found["names"] is not None:
        names = re.sub(r"\s+as\s+", ": ", found["names"])
        statements.append(f"const {{{names}}} = require({module});")
    return " ".join(statements) or f"require({module});"
