"""One HTTP POST to a node, over a connection that is kept (docs/adr/0002)."""

from __future__ import annotations

import http.client
import math
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from task_engine.clock import Clock, SystemClock
from task_engine.kept_connections import KeptConnections

_LARGEST_BYTES = 33_554_432
_CHUNK_BYTES = 65_536


class NoAnswer(Exception):
    """The node could not be asked or did not answer as HTTP has it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`wait_seconds` is what the header Retry-After asks for, 0 without one."""

    status: int
    body: bytes
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads. Only `host` may be shown to anybody."""

    host: str
    origin: str = field(repr=False)
    path: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, url: str) -> Place:
        """Of an http or https URL; a login in it becomes basic authorization (RFC 7617)."""
        parts = urlsplit(url)
        authority = parts.netloc.rpartition("@")[2]
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(authority, f"{parts.scheme}://{authority}", path, headers)


class Transport:
    """Posts; safe for threads."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._connections = KeptConnections()

    def post(self, place: Place, body: bytes, timeout_seconds: float) -> Reply:
        """The reply, whatever its status; raises NoAnswer."""
        end = self._clock.monotonic() + timeout_seconds
        connection = self._connections.take(place.origin, timeout_seconds)
        try:
            connection.request("POST", place.path, body, place.headers)
            response = connection.getresponse()
            raw = self._body(response, end)
        except TimeoutError as error:
            connection.close()
            raise NoAnswer("no answer in time") from error
        except ConnectionRefusedError as error:
            connection.close()
            raise NoAnswer("the connection was refused") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise NoAnswer("no answer") from error
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(place.origin, connection)
        return Reply(response.status, raw, _seconds(response.getheader("Retry-After")))

    def _body(self, response: http.client.HTTPResponse, end: float) -> bytes:
        """All of it: an answer that comes in drops, each in time, ends at `end` too."""
        raw = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            raw += chunk
            if len(raw) > _LARGEST_BYTES:
                raise NoAnswer("the answer is too large")
            if self._clock.monotonic() > end:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(bytes(raw), response.length)
        response.close()  # Ends this answer for the connection, which stays open.
        return bytes(raw)


def _seconds(text: str | None) -> float:
    """Of the header's number; a date (RFC 9110 allows one) is taken as one second."""
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return max(value, 0.0) if math.isfinite(value) else 0.0
