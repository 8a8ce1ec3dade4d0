"""Tokens of JavaScript source: enough to tell code from texts, comments and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

HOLE_OPEN, HOLE_CLOSE = "\ue000", "\ue001"
"""Around the number of a template that was taken out of the source (private use, Unicode 23.5)."""


class Kind(Enum):
    """What a token is; a template literal is its TEMPLATE pieces with code between them."""

    SPACE = "space"
    COMMENT = "comment"
    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    TEMPLATE = "template"
    REGEX = "regex"
    HOLE = "hole"
    PUNCTUATOR = "punctuator"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the source as it stands there."""

    kind: Kind
    text: str


_SCAN = re.compile(
    rf"""(?P<SPACE>\s+)
      | (?P<COMMENT>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<HOLE>{HOLE_OPEN}\d+{HOLE_CLOSE})
      | (?P<NAME>(?:[\w$\#]|\\u\w{{4}}|\\u\{{\w+\}})(?<!\d)(?:[\w$]|\\u\w{{4}}|\\u\{{\w+\}})*)
      | (?P<NUMBER>\.?\d(?:[eE][+-]|[\w.])*)
      | (?P<STRING>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)
      | (?P<PUNCTUATOR>>>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\|
            |\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|%=|&=|\|=|\^=|<<|>>|\*\*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{|\Z)", re.DOTALL)
# Characters looked through in vain for the ends of patterns: quadratic without a bound.
_PATIENCE = 1_000_000
_BEFORE_REGEX = frozenset(
    [
        "return",
        "typeof",
        "case",
        "in",
        "of",
        "delete",
        "void",
        "throw",
        "new",
        "instanceof",
        "do",
        "else",
        "yield",
        "await",
    ]
)


def tokens(source: str) -> Iterator[Token]:
    """Every piece of `source` in order: joined they are the source. Never fails: what is not
    JavaScript comes out as punctuators."""
    at = 0
    before: Token | None = None
    braces: list[bool] = []
    patience = _PATIENCE
    while at < len(source):
        token = _next(source, at)
        if token.text == "/" and patience > 0 and _may_be_regex(before):
            found = _REGEX.match(source, at)
            if found is None:
                patience -= _line_end(source, at) - at
            else:
                token = Token(Kind.REGEX, found.group())
        if token.text == "{":
            braces.append(False)
        elif token.text == "}" and braces and braces.pop():
            token = _piece(source, at)
        if token.kind is Kind.TEMPLATE and token.text.endswith("${"):
            braces.append(True)
        if token.kind not in (Kind.SPACE, Kind.COMMENT):
            before = token
        at += len(token.text)
        yield token


def _next(source: str, at: int) -> Token:
    if source[at] == "`":
        return _piece(source, at)
    found = _SCAN.match(source, at)
    if found is None or found.lastgroup is None:
        return Token(Kind.PUNCTUATOR, source[at])
    return Token(Kind[found.lastgroup], found.group())


def _line_end(source: str, at: int) -> int:
    end = source.find("\n", at)
    return len(source) if end < 0 else end


def _piece(source: str, at: int) -> Token:
    """From a backtick, or from the brace that ends a substitution, to the next of either."""
    found = _TEMPLATE.match(source, at + 1)
    return Token(Kind.TEMPLATE, source[at : found.end() if found else len(source)])


def _may_be_regex(before: Token | None) -> bool:
    if before is None:
        return True
    if before.kind is Kind.NAME:
        return before.text in _BEFORE_REGEX
    if before.kind is Kind.TEMPLATE:
        return before.text.endswith("${")
    return before.kind is Kind.PUNCTUATOR and before.text not in (")", "]", "}", "++", "--")
