"""A request and a reply, free of any framework."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from task_engine.api.principal import Principal
from task_engine.errors import InvalidRequest
from task_engine.model.json_value import JsonValue

_DECISIVE = (
    "authorization",
    "idempotency-key",
    "x-operator-address",
    "x-operator-signature",
    "x-operator-timestamp",
    "x-partner-assertion",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` None = `text` as it is, which may be empty."""

    status: int
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded proxy event; header names are in lower case, `path` holds the route's variables."""

    id: str
    path: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes
    caller: Principal | None = None

    @property
    def principal(self) -> Principal:
        """The caller; set on every route that is not public."""
        if self.caller is None:
            raise RuntimeError("a public route asked for its caller")
        return self.caller

    def one(self, name: str) -> str:
        """The first value of a query parameter, "" when absent."""
        values = self.query.get(name, ())
        return values[0] if values else ""

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a repeated query parameter, empty ones left out."""
        return tuple(value for value in self.query.get(name, ()) if value)


def headers_of(event: Mapping[str, object]) -> dict[str, str]:
    """Headers of a REST proxy event; of a repeated one the last value.

    Raises InvalidRequest when one that decides what is done, and for whom, comes more than once:
    what stands before us may have looked at another one.
    """
    single = event.get("headers")
    found = single if isinstance(single, Mapping) else {}
    several = event.get("multiValueHeaders")
    counted: Counter[str] = Counter()
    for name, values in several.items() if isinstance(several, Mapping) else ():
        counted[str(name).lower()] += len(values) if isinstance(values, list) else 1
    twice = sorted(name for name in _DECISIVE if counted[name] > 1)
    if twice:
        raise InvalidRequest(f"the header {twice[0]} may be sent once")
    return {str(name).lower(): str(value) for name, value in found.items() if value is not None}


def query_of(event: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Query parameters of a REST proxy event, repeated ones in order."""
    several = event.get("multiValueQueryStringParameters")
    if isinstance(several, Mapping):
        return {
            str(name): tuple(str(value) for value in values) for name, values in several.items()
        }
    single = event.get("queryStringParameters")
    if isinstance(single, Mapping):
        return {str(name): (str(value),) for name, value in single.items()}
    return {}


def body_of(event: Mapping[str, object]) -> bytes:
    """The body as bytes, whether API Gateway sent it as text or as base64.

    Raises InvalidRequest when it is not what the event says.
    """
    body = event.get("body")
    if not isinstance(body, str):
        return b""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidRequest("the body can't be decoded") from error
