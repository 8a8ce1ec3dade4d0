"""Cursors: opaque places in a list, good for the list they come from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from task_engine.api.http import Request
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.json_value import JsonValue
from task_engine.model.paging import Page, PageRequest

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_MAX_CURSOR = 2048
_NUMBER = re.compile(r"[0-9]{1,100}")


def list_binding(*parts: str | Iterable[str]) -> str:
    """A short name for a list (owner and filter), the same for the same parts."""
    plain = [part if isinstance(part, str) else sorted(part) for part in parts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def encode_cursor(direction: str, key: str, binding: str) -> str:
    """base64 of `{"d", "p", "f"}`: direction (next or prev), key, list."""
    document = json.dumps({"d": direction, "p": key, "f": binding}, separators=(",", ":"))
    return base64.b64encode(document.encode()).decode("ascii")


def decode_cursor(text: str, binding: str) -> str:
    """The key in a cursor; raises InvalidRequest when it is malformed or another list's.

    A cursor without a list (`{"d", "p"}`) is accepted: it gives a place, and no rights.
    """
    try:
        if len(text) > _MAX_CURSOR:
            raise ValueError("too long")
        plain = text.replace("-", "+").replace("_", "/").encode("ascii")
        raw = base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
        document = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise InvalidRequest("the cursor is malformed", code="INVALID_CURSOR") from error
    direction = document.get("d") if isinstance(document, dict) else None
    key = document.get("p") if isinstance(document, dict) else None
    if direction not in ("next", "prev") or not isinstance(key, str) or not key:
        raise InvalidRequest("the cursor is malformed", code="INVALID_CURSOR")
    if document.get("f", binding) != binding:
        raise InvalidRequest("the cursor belongs to another list", code="INVALID_CURSOR")
    return key


def page_request(request: Request, binding: str) -> PageRequest:
    """`before`, `after` and `limit` of a query; `after` wins, a limit above 200 counts as 200.

    Raises InvalidRequest for a malformed or foreign cursor and a limit below 0.
    """
    limit = _limit(request.one("limit"))
    after, before = request.one("after"), request.one("before")
    return PageRequest(
        after=decode_cursor(after, binding) if after else None,
        before=decode_cursor(before, binding) if before else None,
        limit=limit,
    )


def page_json(page: Page[T], binding: str, row: Callable[[T], JsonValue]) -> JsonValue:
    """A page as the contract's `{data, pageInfo}`."""
    info: dict[str, JsonValue] = {
        "hasNextPage": page.has_next,
        "hasPreviousPage": page.has_previous,
    }
    if page.start_key is not None:
        info["startCursor"] = encode_cursor("prev", page.start_key, binding)
    if page.end_key is not None:
        info["endCursor"] = encode_cursor("next", page.end_key, binding)
    return {"data": [row(item) for item in page.rows], "pageInfo": info}


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if _NUMBER.fullmatch(text) is None:
        problem = Problem("INVALID_REQUEST", "limit", "must be a whole number from 0 to 200")
        raise InvalidRequest("the page can't be read", (problem,))
    return min(int(text), MAX_LIMIT) or DEFAULT_LIMIT
