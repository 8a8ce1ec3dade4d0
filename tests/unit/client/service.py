"""A scripted API: answers in order, remembers what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any

import httpx

from task_engine_client import Client, Retries

BASE = "http://api.test/api/v1"
Reply = httpx.Response | Exception


def answer(status: int, document: Any = None, **headers: str) -> httpx.Response:
    """A JSON answer, or an empty one; header names with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if document is None:
        return httpx.Response(status, headers=named)
    return httpx.Response(status, json=document, headers=named)


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    """A problem document."""
    document = {"type": "about:blank", "title": "No", "status": status, "code": code, **more}
    headers = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(document), headers=headers)


@dataclass
class Service:
    """Gives the replies of `script` in order; the last one again and again."""

    script: InitVar[Sequence[Reply]]
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    replies: list[Reply] = field(init=False)

    def __post_init__(self, script: Sequence[Reply]) -> None:
        self.replies = list(script)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    @property
    def last(self) -> httpx.Request:
        """The last request."""
        return self.requests[-1]

    def body(self) -> Mapping[str, Any]:
        """The last request's JSON."""
        document: Mapping[str, Any] = json.loads(self.last.content)
        return document

    def client(
        self,
        token: str = "t",  # noqa: S107
        *,
        attempts: int = 4,
        renew: Callable[[], str] | None = None,
        assertion: str = "",
    ) -> Client:
        """A client of this service that never really pauses."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        retries = Retries(attempts=attempts)
        return Client(
            BASE + "/",
            token,
            http=http,
            retries=retries,
            renew=renew,
            sleep=self.pauses.append,
            assertion=assertion,
        )
