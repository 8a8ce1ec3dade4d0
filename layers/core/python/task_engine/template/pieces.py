"""A text taken apart: literals, and the expressions that stand between `{{…}}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from task_engine.template.paths import Path, parse_path

MAX_SUBSTITUTIONS = 100
SECRETS_ROOT = "apContext"
_CACHED_LENGTH = 8192
_FIRST_NAME = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Piece:
    """Literal text, or a trimmed expression with its plain path when it is one; `secret` when it
    may give a secret away."""

    text: str
    expression: bool = False
    path: Path | None = None
    secret: bool = False

    @property
    def root(self) -> str:
        """An expression's first name: the node to run first when it can't be resolved."""
        found = _FIRST_NAME.search(self.text)
        return found.group() if found else ""


def expression_of(source: str) -> Piece:
    """The expression for a source without braces."""
    return Piece(source, True, parse_path(source), SECRETS_ROOT in source)


def pieces_of(text: str) -> tuple[Piece, ...]:
    """Literal pieces and expressions in order. Blank and nested templates are left out; braces
    without a partner, and what follows the hundredth template, are literal."""
    if len(text) > _CACHED_LENGTH:
        return _split(text)
    return _split_cached(text)


def _split(text: str) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = count = 0
    while count < MAX_SUBSTITUTIONS:
        span = _next_template(text, at)
        if span is None:
            break
        start, end = span
        if start > at:
            pieces.append(Piece(text[at:start]))
        inner = text[start + 2 : end - 2].strip()
        if inner and "{{" not in inner:
            pieces.append(expression_of(inner))
        at = end
        count += 1
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return tuple(pieces)


_split_cached = lru_cache(maxsize=1024)(_split)


def _next_template(text: str, at: int) -> tuple[int, int] | None:
    """Bounds of the next template. It ends at the first `}}` that balances its braces, else at the
    first `}}`, and then begins at the last `{{` before that."""
    start = text.find("{{", at)
    first = text.find("}}", start + 2) if start >= 0 else -1
    if first < 0:
        return None
    depth = 0
    for found in _BRACE.finditer(text, start + 2):
        if found.start() > first + _BALANCE_REACH:
            break
        if found.group() == "{":
            depth += 1
        elif depth:
            depth -= 1
        elif text.startswith("}}", found.start()):
            return start, found.start() + 2
        else:
            break
    return text.rfind("{{", start, first), first + 2


_BRACE = re.compile(r"[{}]")
_BALANCE_REACH = 4096
