"""One function's routes: the only importer of the framework, and the boundary for errors."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from task_engine.api.access import Access
from task_engine.api.allowed import allowed_methods
from task_engine.api.http import Reply, Request, body_of, headers_of, query_of
from task_engine.api.principal import Authenticator, Principal, SignedRequest, SignedRequests
from task_engine.api.problems import problem_reply, unexpected_reply, unknown_route_reply
from task_engine.api.rate_limit import RATE_HEADERS, RateLimited, RateLimiter
from task_engine.errors import EngineError
from task_engine.observability import add_log_context, log_context

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Whatever stands before it (a stage, a custom domain's mapping) is no part of the route.
_BASE = re.compile(r"^(?:/[^/]+)?/api/v1(?=/|$)")
# What Lambda may answer, less room for headers:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_REPLY_BYTES = 6 * 1024 * 1024 - 64 * 1024

Endpoint = Callable[[Request], Reply]


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands before every route: who calls, and how often."""

    authenticator: Authenticator
    limiter: RateLimiter
    allow_origin: str = "*"
    operators: SignedRequests | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API with its variables as `{name}`, below the base."""

    method: str
    path: str
    access: Access

    @property
    def public(self) -> bool:
        """Whether nobody has to be known."""
        return self.access is Access.PUBLIC


_log = logging.getLogger(__name__)


class ReplyTooLarge(EngineError):
    """The document does not fit into one answer."""

    code = "REPLY_TOO_LARGE"
    http_status = 500


class Application:
    """A Lambda handler for API Gateway REST proxy events; routes are added, then it is called.

    Every reply has `X-Request-Id`; every error is a problem document. A broken or expired token is
    refused on public routes too.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.routes: list[Route] = []
        self._rest = APIGatewayRestResolver(
            strip_prefixes=[_BASE],
            cors=CORSConfig(
                allow_origin=gate.allow_origin,
                allow_headers=["Idempotency-Key", "X-Partner-Assertion", "X-Request-Id"],
                expose_headers=["X-Request-Id", "Retry-After", *RATE_HEADERS],
                max_age=600,
            ),
        )
        self._rest.exception_handler(NotFoundError)(self._unknown_route)

    def add(
        self, method: str, rule: str, endpoint: Endpoint, *, access: Access = Access.OWNER
    ) -> None:
        """Route `method` and `rule` (variables as `<name>`, a verb as `:verb`) to `endpoint`.

        A rule with a verb has to be added before the one that its variable alone would match.
        """

        def route(**path: str) -> Response[str]:
            return self._response(self._answer(endpoint, path, f"{method} {rule}", access))

        self._rest.route(rule, method)(route)
        path = rule.replace("<", "{").replace(">", "}")
        self.routes.append(Route(method, path, access))

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Answer one event."""
        request_id = _request_id(event)
        event = {**event, "path": _printable(str(event.get("path", "")))}
        with log_context(request_id=request_id):
            answer: dict[str, Any] = self._rest.resolve(event, cast("LambdaContext", context))
        answer.setdefault("multiValueHeaders", {})["X-Request-Id"] = [request_id]
        return answer

    def _answer(
        self, endpoint: Endpoint, path: dict[str, str], route: str, access: Access
    ) -> Reply:
        event: dict[str, Any] = self._rest.current_event.raw_event
        request_id = _request_id(event)
        begun = time.perf_counter()
        rate: dict[str, str] = {}
        try:
            headers = headers_of(event)
            caller = self._admit(event, headers, access, rate)
            reply = endpoint(
                Request(
                    id=request_id,
                    path={name: unquote(value) for name, value in path.items()},
                    query=query_of(event),
                    headers=headers,
                    body=body_of(event),
                    caller=caller,
                )
            )
        except EngineError as error:
            reply = problem_reply(error, request_id)
            _log_error(error)
        except Exception:
            reply = unexpected_reply(request_id)
            _log.exception("unforeseen error", extra={"route": route})
        _log.info(
            "answered",
            extra={
                "route": route,
                "status": reply.status,
                "duration_ms": round((time.perf_counter() - begun) * 1000, 1),
            },
        )
        return replace(reply, headers={**rate, **reply.headers})

    def _admit(
        self,
        event: Mapping[str, Any],
        headers: Mapping[str, str],
        access: Access,
        rate: dict[str, str],
    ) -> Principal | None:
        """The caller, counted; adds the rate's headers to `rate`."""
        caller: Principal | None = None
        try:
            if access is Access.OPERATOR:
                caller = self._operator(event, headers)
            else:
                caller = self._gate.authenticator.admit(headers, access)
        finally:
            allowance = self._gate.limiter.take(caller.subject if caller else _source(event))
            rate.update(allowance.headers())
            if not allowance.allowed:
                raise RateLimited("too many requests: slow down")
        if caller is not None and caller.owner:
            add_log_context(owner=caller.owner, **_named_partner(caller))
        return caller

    def _operator(self, event: Mapping[str, Any], headers: Mapping[str, str]) -> Principal:
        if self._gate.operators is None:
            raise RuntimeError("this function has no routes for operators")
        path = unquote(_BASE.sub("", str(event["path"])))
        return self._gate.operators.admit(
            SignedRequest(str(event["httpMethod"]), path, query_of(event), headers, body_of(event))
        )

    def _unknown_route(self, _: NotFoundError) -> Response[str]:
        methods = allowed_methods(self.routes, _BASE.sub("", self._rest.current_event.path))

        def unknown(request: Request) -> Reply:
            return unknown_route_reply(request.id, methods)

        # Counted as any other: whoever guesses paths is a caller too.
        return self._response(self._answer(unknown, {}, "none", Access.PUBLIC))

    def _response(self, reply: Reply) -> Response[str]:
        text = reply.text if reply.body is None else _json(reply.body)
        if len(text) > MAX_REPLY_BYTES // 4 and len(text.encode()) > MAX_REPLY_BYTES:
            request_id = _request_id(self._rest.current_event.raw_event)
            return self._response(problem_reply(ReplyTooLarge("too large"), request_id))
        return Response(
            status_code=reply.status,
            content_type=reply.content_type if text else None,
            headers={"Cache-Control": "no-store", **reply.headers},
            body=text,
        )


def _source(event: Mapping[str, Any]) -> str:
    """Where a caller whom nobody knows calls from: one of them shall not lock out the others."""
    context = event.get("requestContext")
    identity = context.get("identity") if isinstance(context, dict) else None
    return f"from {identity.get('sourceIp')}" if isinstance(identity, dict) else ""


def _named_partner(caller: Principal) -> dict[str, str]:
    return {"partner": caller.partner} if caller.partner else {}


def _printable(path: str) -> str:
    """The path with all that the framework's variables don't match in its escaped form."""
    return quote(path, safe="/%:;@!$&'()*+,=<>[]{}| ", errors="replace")


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _request_id(event: dict[str, Any]) -> str:
    context = event.get("requestContext")
    return str(context.get("requestId", "")) if isinstance(context, dict) else ""


def _log_error(error: EngineError) -> None:
    extra = {"code": error.stable_code, "status": error.http_status}
    if error.http_status >= 500:
        _log.error("request failed", extra=extra, exc_info=error)
    else:
        _log.info("request refused", extra=extra)
