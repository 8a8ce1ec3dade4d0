"""Which expressions may run inside this process: those that a time limit is sure to stop.

QuickJS polls its limit between byte codes and inside pattern matching, not inside its other
native functions: `"a".repeat(1e7).indexOf(…)` goes on for hours. So an expression runs in the
process only when all it calls is known to be short; any other one runs in a child that can be
killed. This decides about speed, never about what is allowed.
"""

from __future__ import annotations

from functools import lru_cache

from task_engine.template.lexer import Kind, Token, tokens

_METHODS = frozenset(
    """map filter find findIndex findLast some every reduce forEach slice at keys values entries
    toUpperCase toLowerCase trim toFixed charAt startsWith endsWith isArray isInteger isFinite
    isNaN floor ceil round trunc abs min max sign parse stringify hasOwnProperty toString""".split()
)
_FUNCTIONS = frozenset(["Number", "String", "Boolean", "BigInt", "parseInt", "parseFloat", "isNaN"])
_HOST = frozenset(["bigCmp", "bigGt", "bigLt", "parseUnit", "toBigInt"])
_WORDS_BEFORE_PAREN = frozenset(["typeof", "void", "in", "instanceof"])
_BANNED_NAMES = frozenset(
    """new function class for while do async await yield import eval Function Reflect Proxy Array
    Date RegExp constructor __proto__ call apply bind let const var throw try with
    indexOf lastIndexOf includes split replace replaceAll match matchAll search test exec repeat
    padStart padEnd concat join sort toSorted reverse toReversed fill copyWithin flat flatMap from
    of assign splice toSpliced normalize localeCompare raw pow fromEntries defineProperty""".split()
)
_PUNCTUATORS = frozenset(
    """( ) [ ] { } . ?. , : ? => == != === !== < > <= >= + - * / % && || ?? ! ...""".split()
)

_LONGEST = 2000
_OF_SCRIPTS = frozenset("state console crypto require return globalThis this arguments __s".split())


@lru_cache(maxsize=1024)
def is_quick(source: str) -> bool:
    """Whether nothing in `source` can spend long where the time limit is not looked at."""
    return len(source) <= _LONGEST and _all_allowed(_significant(source))


@lru_cache(maxsize=1024)
def is_quick_body(source: str) -> bool:
    """Whether `source` is one `return` of what `is_quick` would let pass, and speaks of nothing
    that only a script has."""
    if len(source) > _LONGEST:
        return False
    listed = _significant(source)
    if not listed or listed[0].text != "return":
        return False
    value = listed[1:-1] if listed[-1].text == ";" else listed[1:]
    return _OF_SCRIPTS.isdisjoint(token.text for token in value) and _all_allowed(value)


def _significant(source: str) -> list[Token]:
    return [token for token in tokens(source) if token.kind not in (Kind.SPACE, Kind.COMMENT)]


def _all_allowed(listed: list[Token]) -> bool:
    before: list[Token] = []
    for token in listed:
        if not _allowed(token, before):
            return False
        before.append(token)
    return True


def _allowed(token: Token, before: list[Token]) -> bool:
    if not _literal_member(token, before):
        return False
    if token.kind is Kind.NAME:
        return token.text not in _BANNED_NAMES and "\\" not in token.text
    if token.kind is Kind.STRING:
        return "\\" not in token.text and token.text[1:-1] not in _BANNED_NAMES
    if token.kind is Kind.NUMBER:
        return len(token.text) < 40
    if token.kind is Kind.TEMPLATE:
        tag = token.text[0] == "`" and before and _is_value(before[-1])
        return "\\" not in token.text and not tag
    if token.kind is not Kind.PUNCTUATOR or token.text not in _PUNCTUATORS:
        return False
    return token.text != "(" or not before or _callable(before)


def _literal_member(token: Token, before: list[Token]) -> bool:
    """Whether `token` may stand in `value[…]`, where just a number or a text may: a computed name
    could be that of any function. The same goes for computed keys of objects."""
    if token.text == ":" and before and before[-1].text == "]":
        return False
    if _opens_member(before, 1):
        return token.kind in (Kind.NUMBER, Kind.STRING)
    return token.text == "]" if _opens_member(before, 2) else True


def _opens_member(before: list[Token], back: int) -> bool:
    if len(before) <= back or before[-back].text != "[":
        return False
    owner = before[-back - 1]
    return _is_value(owner) or owner.text == "?."


def _is_value(token: Token) -> bool:
    if token.kind is Kind.NAME:
        return token.text not in _WORDS_BEFORE_PAREN
    if token.kind is Kind.TEMPLATE:
        return token.text.endswith("`")
    return token.kind is Kind.STRING or token.text in (")", "]")


def _callable(before: list[Token]) -> bool:
    """Whether a parenthesis after these tokens groups, or calls something short."""
    last = before[-1]
    if last.kind is Kind.PUNCTUATOR:
        return last.text not in (")", "]", "}", "?.")
    if last.kind is Kind.TEMPLATE:
        return last.text.endswith("${")
    if last.kind is not Kind.NAME:
        return False
    if len(before) > 1 and before[-2].text in (".", "?."):
        return last.text in _METHODS
    return last.text in _FUNCTIONS or last.text in _HOST or last.text in _WORDS_BEFORE_PAREN
