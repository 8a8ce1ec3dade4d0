"""Texts on which a regular expression backtracks, made from the expression itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT)
_ENDINGS = ("", "\0", "\n", '"', "!", "\\")
_OF_CATEGORY = {
    kinds.CATEGORY_DIGIT: "1",
    kinds.CATEGORY_WORD: "a",
    kinds.CATEGORY_SPACE: " ",
    kinds.CATEGORY_NOT_SPACE: "a",
    kinds.CATEGORY_NOT_DIGIT: "a",
    kinds.CATEGORY_NOT_WORD: "-",
}
_FILLINGS = "a1 -\"'\\.\n({[/#$`%0A_"


def hostile_texts(pattern: re.Pattern[Any], length: int) -> Iterator[str]:
    """Texts of about `length` characters: whatever may repeat in the pattern repeats, after what
    stands before it, and then comes something that does not fit."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    pumps = {(before, inside) for before, inside in _pumps(tree, "") if inside}
    pumps |= {("", char) for char in _FILLINGS}
    whole = _sample(tree)
    if whole:
        pumps |= {("", whole), ("", whole[:-1]), (whole, whole[-1]), ("", whole[0])}
    for before, inside in sorted(pumps):
        if inside:
            body = before + inside * max(1, length // len(inside))
            for ending in _ENDINGS:
                yield body + ending


def _pumps(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    for kind, value in tree:
        if kind in _REPEATS:
            _, most, inner = value
            yield from _pumps(inner, before)
            if most > 16:
                # What stands first may start a new attempt at every repetition.
                starts = {text[:-1] + before[:1] for text in _samples(inner) if len(text) > 1}
                yield from ((before, text) for text in _samples(inner) | starts)
        elif kind is kinds.SUBPATTERN:
            yield from _pumps(value[-1], before)
        elif kind is kinds.ATOMIC_GROUP:
            yield from _pumps(value, before)
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from _pumps(branch, before)
        before += _of_item(kind, value)


def _samples(tree: Any) -> set[str]:
    """One text, and where the pattern has alternatives one for each, and with the options taken."""
    found = {_sample(tree), _sample(tree, optional=True)}
    for kind, value in tree:
        if kind is kinds.BRANCH:
            found |= {_sample(branch) for branch in value[1]}
        elif kind is kinds.SUBPATTERN:
            found |= _samples(value[-1])
        elif kind is kinds.IN:
            found |= {_of_class([member]) for member in value}
    return found


def _sample(tree: Any, *, optional: bool = False) -> str:
    return "".join(_of_item(kind, value, optional=optional) for kind, value in tree)


def _of_item(kind: Any, value: Any, *, optional: bool = False) -> str:
    if kind is kinds.LITERAL:
        return chr(value)
    if kind is kinds.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if kind is kinds.ANY:
        return "a"
    if kind is kinds.IN:
        return _of_class(value)
    if kind in _REPEATS:
        least, most, inner = value
        count = max(least, 1 if optional or most > 16 else 0)
        return _sample(inner, optional=optional) * min(int(count), 70)
    if kind is kinds.SUBPATTERN:
        return _sample(value[-1], optional=optional)
    if kind is kinds.ATOMIC_GROUP:
        return _sample(value, optional=optional)
    if kind is kinds.BRANCH:
        return _sample(value[1][0], optional=optional)
    return ""


def _of_class(members: Any) -> str:
    negated = members[0][0] is kinds.NEGATE
    if negated:
        outside: list[str] = [
            c for c in "a1 -_~" if not any(_holds(kind, v, c) for kind, v in members[1:])
        ]
        return outside[0]
    kind, value = members[0]
    if kind is kinds.RANGE:
        return chr(value[0])
    return _OF_CATEGORY[value] if kind is kinds.CATEGORY else chr(value)


def _holds(kind: Any, value: Any, char: str) -> bool:
    if kind is kinds.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    if kind is kinds.CATEGORY:
        return _OF_CATEGORY[value] == char
    return bool(chr(value) == char)
