"""JSON bodies, read field by field; everything wrong is reported at once."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import NoReturn

from task_engine.errors import EngineError, InvalidRequest, Problem
from task_engine.model.json_value import JsonValue

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 200
"""Levels of nesting; deeper documents could exhaust the stack of whoever reads them later."""
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89abAB]|\\u[dD][c-fC-F]")

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class BodyTooLarge(EngineError):
    """More bytes than the API accepts."""

    code = "INVALID_REQUEST"
    http_status = 413


def json_object(body: bytes) -> dict[str, JsonValue]:
    """The JSON object of a body.

    Raises BodyTooLarge above 10 MiB; InvalidRequest for anything else that is no JSON object of
    RFC 8259: another encoding than UTF-8, a name given twice, NaN, unpaired surrogates, a number
    above what a double holds.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"a body has at most {MAX_BODY_BYTES} bytes")
    if not body.strip():
        raise _malformed("the body is empty: send a JSON object")
    if _too_deep(body):
        raise _malformed(f"the body is nested more than {MAX_DEPTH} levels deep")
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        if _ESCAPED_SURROGATE.search(body):
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise _malformed("the body is not UTF-8 text") from error
    except ValueError as error:
        raise _malformed(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise _malformed("the body must be a JSON object")
    return document


def _too_deep(body: bytes) -> bool:
    """Whether brackets outside of strings nest deeper than allowed; linear in the body's size."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counted.items() if count > 1)
        raise ValueError(f"the name {twice[:100]!r} stands twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _malformed(text: str) -> InvalidRequest:
    return InvalidRequest(text, code="INVALID_REQUEST")


class Fields:
    """Reads the fields of one object and remembers every problem until `finish`."""

    def __init__(self, body: dict[str, JsonValue]) -> None:
        self._body = body
        self._read: set[str] = set()
        self._problems: list[Problem] = []

    def text(self, name: str, *, required: bool = False) -> str:
        """A string, "" when absent."""
        value = self._take(name, required)
        if value is None or isinstance(value, str):
            return value or ""
        self.refuse(name, "must be a string")
        return ""

    def number_text(self, name: str, *, required: bool = False) -> str:
        """A number written as a string, or one that some clients send bare; "" when absent."""
        value = self._take(name, required)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is None or isinstance(value, str):
            return value or ""
        self.refuse(name, "must be a whole number written as a string")
        return ""

    def integer(self, name: str, *, least: int = 0) -> int:
        """A whole number, 0 when absent."""
        value = self._take(name, required=False)
        if value is None:
            return 0
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63:
            return value
        self.refuse(name, f"must be a whole number of at least {least}")
        return 0

    def flag(self, name: str, *, required: bool = False) -> bool:
        """A boolean, False when absent."""
        value = self._take(name, required)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(name, "must be true or false")
        return False

    def mapping(self, name: str) -> dict[str, JsonValue]:
        """An object, empty when absent."""
        value = self._take(name, required=False)
        if value is None or isinstance(value, dict):
            return value or {}
        self.refuse(name, "must be an object")
        return {}

    def anything(self, name: str) -> JsonValue:
        """Any JSON, None when absent."""
        return self._take(name, required=False)

    def refuse(self, path: str, message: str, code: str = "INVALID_REQUEST") -> None:
        """Add a problem."""
        self._problems.append(Problem(code, path, message))

    def finish(self) -> None:
        """Raises InvalidRequest when anything was wrong, a field of no meaning here included."""
        for name in self._body.keys() - self._read:
            self.refuse(name, "is not a field of this request")
        if self._problems:
            ordered = tuple(sorted(self._problems, key=lambda problem: problem.path))
            raise InvalidRequest("the request is not as expected", ordered)

    def _take(self, name: str, required: bool) -> JsonValue:
        self._read.add(name)
        value = self._body.get(name)
        if required and (value is None or value == ""):
            self.refuse(name, "is required", "MISSING_REQUIRED_FIELD")
        return value
