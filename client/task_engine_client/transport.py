"""Requests over HTTPS: time limits, retries, problem documents."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import httpx

from task_engine_client.document import Document, Json, objects, text
from task_engine_client.errors import ApiError, ProblemEntry, Unreachable

_RETRIED = frozenset({429, 503})
_SAFE_METHODS = frozenset({"GET", "PUT", "PATCH", "DELETE"})
# Nobody knows whether such a request arrived: only one that may be repeated is sent again.
_LOST = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)
Query = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a refused request is sent again; seconds.

    `longest` bounds one pause, whatever the server asks for.
    """

    attempts: int = 4
    pause: float = 0.5
    longest: float = 30.0

    def delay(self, attempt: int, retry_after: str) -> float:
        """Seconds before the next attempt: what the server asked for, else doubling pauses."""
        try:
            asked = float(retry_after)
        except ValueError:
            asked = math.nan
        if not math.isfinite(asked):
            asked = self.pause * 2**attempt
        return min(max(asked, 0.0), self.longest)


@dataclass(slots=True)
class Transport:
    """Sends requests below `base_url`, signed by `token`.

    `renew` gives a new token, "" when it can't; it is asked once when a request is refused with
    401. `assertion` is a partner's; it goes along where there is no token, and to /tokens.
    """

    base_url: str
    token: str
    http: httpx.Client
    retries: Retries = field(default_factory=Retries)
    renew: Callable[[], str] | None = None
    sleep: Callable[[float], None] = time.sleep
    assertion: str = ""

    def send(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        query: Query | None = None,
        key: str = "",
    ) -> Json:
        """The decoded body of the answer, None without one.

        `key` is an Idempotency-Key. 429 is always tried again; 503 and a lost connection only when
        the request may be repeated without harm: by its method, or by its key, which stays the
        same. Raises ApiError and Unreachable.
        """
        repeatable = method in _SAFE_METHODS or bool(key)
        request = partial(self._once, method, path, body, query, key)
        for attempt in range(self.retries.attempts - 1):
            try:
                answer = self._renewed(request)
            except Unreachable as error:
                if not repeatable or not isinstance(error.__cause__, _LOST):
                    raise
                self.sleep(self.retries.delay(attempt, ""))
                continue
            refused = answer.status_code in _RETRIED
            if not refused or not (repeatable or answer.status_code == 429):
                return decoded(answer)
            self.sleep(self.retries.delay(attempt, answer.headers.get("Retry-After", "")))
        return decoded(self._renewed(request))

    @contextmanager
    def stream(self, path: str, query: Query) -> Iterator[Iterator[str]]:
        """The lines of an answer as they come (server-sent events); there is no read limit."""
        headers = {**self._headers(""), "Accept": "text/event-stream"}
        limits = httpx.Timeout(self.http.timeout.connect, read=None)
        request = self.http.build_request(
            "GET", self.base_url + path, params=_present(query), headers=headers, timeout=limits
        )
        try:
            answer = self.http.send(request, stream=True)
            try:
                if not answer.is_success:
                    answer.read()
                    decoded(answer)
                yield answer.iter_lines()
            finally:
                answer.close()
        except httpx.HTTPError as error:
            raise _unreachable(self.base_url, error) from error

    def _renewed(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """The answer; to a second request with a new token when the first was refused for its."""
        answer = request()
        if answer.status_code != 401 or not self.renew or not self.token:
            return answer
        fresh = self.renew()
        if not fresh:
            return answer
        self.token = fresh
        return request()

    def _once(
        self, method: str, path: str, body: Document | None, query: Query | None, key: str
    ) -> httpx.Response:
        headers = self._headers(key)
        if self.assertion and (not self.token or path.startswith("/tokens/")):
            headers["X-Partner-Assertion"] = self.assertion
        content = None
        if body is not None:
            content = json.dumps(body, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        try:
            return self.http.request(
                method,
                self.base_url + path,
                content=content,
                params=_present(query or {}),
                headers=headers,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreachable(self.base_url, error) from error

    def _headers(self, key: str) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        return headers


def decoded(answer: httpx.Response) -> Json:
    """The JSON of a successful answer, None when it is empty.

    Raises ApiError for refusals; Unreachable when something else than this API answered.
    """
    if not answer.is_success:
        raise _refusal(answer)
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        message = f"{answer.request.url.host} answered {answer.status_code} without JSON"
        raise Unreachable(f"{message}: is this the address of the API?") from error


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    detail = text(document, "detail") or text(document, "title") or text(document, "message")
    entries = objects(document, "errors")
    return ApiError(
        answer.status_code,
        text(document, "code") or f"HTTP_{answer.status_code}",
        detail or f"HTTP {answer.status_code} {answer.reason_phrase}".strip(),
        errors=tuple(
            ProblemEntry(text(entry, "code"), text(entry, "path"), text(entry, "message"))
            for entry in entries
        ),
        request_id=text(document, "instance") or answer.headers.get("X-Request-Id", ""),
    )


def _present(query: Query) -> dict[str, Json]:
    return {name: value for name, value in query.items() if value not in (None, "", (), [])}


def _unreachable(base_url: str, error: Exception) -> Unreachable:
    reason = str(error) or type(error).__name__
    return Unreachable(f"{base_url} can't be reached: {reason}")
