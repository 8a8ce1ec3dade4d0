"""HTTP that can't be led astray: the only way out for nodes."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException
from ssl import SSLContext

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.net.connections import Connections, Idle, tls_context
from task_engine.net.failures import TRANSPORT, timed_out, too_large, transport_failure
from task_engine.net.message import Headers, HttpRequest, HttpResponse
from task_engine.net.policy import EgressPolicy, Resolver
from task_engine.net.resolver import system_resolver
from task_engine.net.target import Target, parse_target, redirected

# urllib3 logs the URLs of answers whose headers are malformed, and URLs may hold secrets.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

MAX_REDIRECTS = 5
_PIECE = 65_536
_IDLE = 15.0
_IDLE_UNREPEATABLE = 2.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# Framing and hop-by-hop fields (RFC 9110 7.6.1) are ours to set.
_OURS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate"}
    | {"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_CREDENTIALS = frozenset({"authorization", "cookie", "cookie2", "www-authenticate"})
_OF_BODY = frozenset({"content-encoding", "content-language", "content-location", "content-type"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class SafeHttp:
    """Sends requests to public hosts (and to those the policy names). Safe for threads.

    Guarantees: every address connected to was checked, also after a redirect; the name is
    resolved once per hop; the whole exchange ends by the deadline; no more than
    `limits.max_http_bytes` of decompressed body are kept. Not repeated, but for one case: an idle
    connection that turns out to be closed before a repeatable request got any answer.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        limits: Limits,
        *,
        resolver: Resolver = system_resolver,
        context: Callable[[], SSLContext] = tls_context,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._resolver = resolver
        self._connections = Connections(context)

    def request(self, request: HttpRequest) -> HttpResponse:
        """The answer, whatever its status. Raises NodeError: RPC_NODE_ERROR with "timeout" or
        "connection error" in its text, INVALID_NODE_CONFIG for what may not be asked,
        INVALID_REQUEST for an answer that is too large."""
        deadline = min(request.deadline, time.monotonic() + self._limits.http_timeout_seconds)
        target = parse_target(request.url)
        current = replace(request, headers=_checked(request.headers), deadline=deadline)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._exchange(current, target)
            location = response.header("location")
            if response.status not in _REDIRECTS or not location:
                return response
            following = redirected(target, _as_text(location))
            current = _follow(current, response.status, following.origin != target.origin)
            target = following
        raise NodeError(f"more than {MAX_REDIRECTS} redirects", code=TRANSPORT)

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    def _exchange(self, request: HttpRequest, target: Target) -> HttpResponse:
        left = request.deadline - time.monotonic()
        if left <= 0:
            raise timed_out()
        addresses = self._policy.addresses(target, self._resolver, left)
        try:
            # A peer may close an idle connection just as a request is sent, and a request that
            # can't be repeated would fail for it.
            longest = _IDLE if request.method in _REPEATABLE else _IDLE_UNREPEATABLE
            idle = self._connections.reuse(target, addresses, request.deadline, longest)
            if idle is not None:
                response = self._try_idle(idle, request, target)
                if response is not None:
                    return response
            fresh = self._connections.open(target, addresses, request.deadline)
            return self._send(fresh, request, target)
        except (HTTPError, HTTPException, OSError) as error:
            raise transport_failure(error) from error

    def _try_idle(self, idle: Idle, request: HttpRequest, target: Target) -> HttpResponse | None:
        try:
            return self._send(idle, request, target)
        except ConnectionError:
            if request.method not in _REPEATABLE:
                raise
            return None

    def _send(self, idle: Idle, request: HttpRequest, target: Target) -> HttpResponse:
        connection = idle.connection
        try:
            connection.request(
                request.method,
                target.path,
                body=request.body,
                headers=_on_the_wire(request.headers, target),
                preload_content=False,
            )
            response = connection.getresponse()
            body = self._read(response)
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(idle)
        return HttpResponse(
            status=response.status,
            reason=response.reason or "",
            url=target.url,
            headers=tuple(response.headers.iteritems()),
            body=body,
        )

    def _read(self, response: BaseHTTPResponse) -> bytes:
        limit = self._limits.max_http_bytes
        pieces: list[bytes] = []
        size = 0
        while piece := response.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            pieces.append(piece)
        return b"".join(pieces)


def _checked(headers: Headers) -> Headers:
    for name, value in headers:
        if _NAME.fullmatch(name) is None:
            raise NodeError("a header's name is not a token", code="INVALID_NODE_CONFIG")
        if _NOT_IN_VALUES.search(value) is not None:
            raise NodeError(
                f"header {name} holds a character that headers can't hold",
                code="INVALID_NODE_CONFIG",
            )
    return tuple((name, value) for name, value in headers if name.lower() not in _OURS)


def _on_the_wire(headers: Headers, target: Target) -> dict[str, str]:
    """With the headers that are ours. http.client writes Latin-1; here non-ASCII goes as UTF-8."""
    sent: dict[str, str] = {"Host": target.authority}
    names = {name.lower() for name, _ in headers}
    if "accept-encoding" not in names:
        sent["Accept-Encoding"] = "gzip, deflate"
    if "user-agent" not in names:
        sent["User-Agent"] = "task-engine"
    for name, value in headers:
        text = value.strip()
        sent[name] = text if text.isascii() else text.encode("utf-8").decode("latin-1")
    return sent


def _as_text(location: str) -> str:
    """http.client reads headers as Latin-1; servers write UTF-8."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


def _follow(request: HttpRequest, status: int, crossing: bool) -> HttpRequest:
    """The request after a redirect, by RFC 9110 15.4: 303 turns all but HEAD into GET, 301 and
    302 turn POST into GET, 307 and 308 change nothing."""
    to_get = (status == 303 and request.method != "HEAD") or (
        status in (301, 302) and request.method == "POST"
    )
    dropped = _OF_BODY if to_get else frozenset()
    if crossing:
        dropped = dropped | _CREDENTIALS | request.private
    return replace(
        request,
        method="GET" if to_get else request.method,
        body=None if to_get else request.body,
        headers=tuple(pair for pair in request.headers if pair[0].lower() not in dropped),
    )
