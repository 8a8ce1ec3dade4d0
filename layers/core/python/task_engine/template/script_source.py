"""A script's source made ready: templates become values that it reads, imports become requires."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from task_engine.model.json_value import JsonValue
from task_engine.template.evaluate import DateValue, Value, attempt, text_of
from task_engine.template.lexer import HOLE_CLOSE, HOLE_OPEN, Kind, Token, tokens
from task_engine.template.missing import Missing, MissingVariables
from task_engine.template.paths import UNDEFINED
from task_engine.template.pieces import Piece, pieces_of
from task_engine.template.scope import Scope

_HOLE = re.compile(f"{HOLE_OPEN}(\\d+){HOLE_CLOSE}")
_NAME = re.compile(r"(?<![\w$.])[A-Za-z_$][\w$]*", re.ASCII)
_TO_ESCAPE = re.compile(r"\\.|`|\$\{", re.DOTALL)
_BODY_WORDS = frozenset(["return", "require", "import"])
_IMPORT = re.compile(
    r"""import\s*+(?:(?P<default>[\w$]++)\s*+,?\s*+)?
        (?:\*\s*+as\s++(?P<star>[\w$]++)|\{(?P<names>[^}]*+)\})?\s*+
        (?:from\s*+)?(?P<quote>["'])(?P<module>[^"'\n]++)(?P=quote)[ \t]*+;?""",
    re.VERBOSE,
)
_AS = re.compile(r"(?<!\s)\s++as\s+")


@dataclass(frozen=True, slots=True)
class Script:
    """`source` reads `values` where templates stood; `names` are all names in its code. It is a
    function's body when it returns, requires or imports; otherwise its last expression counts."""

    source: str
    values: dict[str, JsonValue]
    names: frozenset[str]

    @property
    def body(self) -> bool:
        """Whether it is the body of a function."""
        return not self.names.isdisjoint(_BODY_WORDS)


def prepare(
    source: str,
    scope: Scope,
    field: str = "source",
    *,
    lenient: bool = False,
    inner: frozenset[str] = frozenset(),
) -> Script:
    """Bind templates as values: in code with their type, inside quotes as text.

    What data holds is never read as code. Templates in comments and in regular expressions are
    left alone. Raises MissingVariables for all templates without a value; when `lenient` they are
    `undefined`. Templates that speak of a name in `inner` (what only the script will know) become
    part of the code.
    """
    pieces = pieces_of(source)
    binder = _Binder(scope, [piece for piece in pieces if piece.expression], inner)
    marked = _marked(pieces)
    listed = list(tokens(marked))
    text = "".join(_rewritten(marked, listed, binder))
    if binder.missing and not lenient:
        raise MissingVariables(tuple(binder.missing), field)
    names = frozenset(token.text for token in listed if token.kind is Kind.NAME)
    return Script(text, binder.values, names)


def _marked(pieces: tuple[Piece, ...]) -> str:
    parts: list[str] = []
    count = 0
    for piece in pieces:
        if piece.expression:
            parts.append(f"{HOLE_OPEN}{count}{HOLE_CLOSE}")
            count += 1
        else:
            parts.append(piece.text)
    return "".join(parts)


class _Binder:
    """Gives each template its name in the script, evaluating it when it is first needed."""

    def __init__(self, scope: Scope, holes: list[Piece], inner: frozenset[str]) -> None:
        self.values: dict[str, JsonValue] = {}
        self.missing: list[Missing] = []
        self._scope = scope
        self._holes = holes
        self._inner = inner
        self._known: dict[str, Value] = {}

    def code(self, number: int) -> str:
        """An expression that has the template's value."""
        piece = self._holes[number]
        if self._inner and not self._inner.isdisjoint(_NAME.findall(piece.text)):
            return f"({piece.text}\n)"
        value = self._value(piece)
        if value is UNDEFINED:
            return "(void 0)"
        if isinstance(value, DateValue):
            return f"(new Date({json.dumps(value.iso)}))"
        self.values[f"__t{number}"] = value
        return f"__t{number}"

    def text(self, number: int) -> str:
        """An expression that has the template's text."""
        piece = self._holes[number]
        if self._inner and not self._inner.isdisjoint(_NAME.findall(piece.text)):
            return f"({piece.text}\n)"
        value = self._value(piece)
        self.values[f"__s{number}"] = "undefined" if value is UNDEFINED else text_of(value)
        return f"__s{number}"

    def original(self, number: int) -> str:
        """The template as its author wrote it."""
        return f"{{{{{self._holes[number].text}}}}}"

    def _value(self, piece: Piece) -> Value:
        if piece.text not in self._known:
            value, reason = attempt(piece, self._scope)
            self._known[piece.text] = value
            if value is UNDEFINED:
                self.missing.append(Missing(piece.text, piece.root, reason))
        return self._known[piece.text]


def _rewritten(marked: str, listed: list[Token], binder: _Binder) -> Iterator[str]:
    position = skip = 0
    for place, token in enumerate(listed):
        start, position = position, position + len(token.text)
        if start < skip:
            continue
        if token.kind is Kind.NAME and token.text == "import":
            found = _IMPORT.match(marked, start)
            if found is not None:
                skip = found.end()
                yield _require(found)
                continue
        yield _bound(token, binder, listed, place)


def _bound(token: Token, binder: _Binder, listed: list[Token], place: int) -> str:
    if HOLE_OPEN not in token.text:
        return token.text
    if token.kind is Kind.HOLE:
        return binder.code(_number(token.text))
    if token.kind is Kind.TEMPLATE:
        return _HOLE.sub(lambda hole: f"${{{binder.text(int(hole[1]))}}}", token.text)
    if token.kind is Kind.STRING:
        literal = _TO_ESCAPE.sub(_escaped, token.text[1:-1])
        literal = _HOLE.sub(lambda hole: f"${{{binder.text(int(hole[1]))}}}", literal)
        return f"[`{literal}`]" if _is_key(listed, place) else f"`{literal}`"
    return _HOLE.sub(lambda hole: binder.original(int(hole[1])), token.text)


def _number(hole: str) -> int:
    return int(hole[1:-1])


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0][0] == "\\" else "\\" + found[0]


def _is_key(listed: list[Token], place: int) -> bool:
    """Whether the text is a key of an object literal, which can't be a template literal."""
    return _significant(listed[place + 1 :]) == ":" and _significant(reversed(listed[:place])) in (
        "{",
        ",",
    )


def _significant(listed: Iterator[Token] | list[Token]) -> str:
    for token in listed:
        if token.kind not in (Kind.SPACE, Kind.COMMENT):
            return token.text
    return ""


def _require(found: re.Match[str]) -> str:
    required = f"require({json.dumps(found['module'])})"
    statements = []
    if found["default"]:
        statements.append(f"const {found['default']} = __default({required});")
    if found["star"]:
        statements.append(f"const {found['star']} = {required};")
    if found["names"] is not None:
        statements.append(f"const {{{_AS.sub(': ', found['names'])}}} = {required};")
    return " ".join(statements) or f"{required};"
