"""restApi: one HTTP request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.model.secret import SecretValue
from task_engine.net.message import Headers, HttpRequest, HttpResponse
from task_engine.net.safe_http import SafeHttp
from task_engine.net.target import as_in_urls, parse_target
from task_engine.processors.base import Scope
from task_engine.processors.http_record import (
    body_value,
    headers_value,
    retryable_status,
    status_error,
    status_text,
)
from task_engine.processors.rest_config import (
    METHODS,
    RestConfig,
    bounded,
    invalid,
    is_json_type,
    parse_rest,
    require_json,
)
from task_engine.processors.templated import Templated
from task_engine.template.redact import Redactor

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class ServerToken:
    """A token of the deployment, sent to `hosts` only: tasks choose the URL, and must not be able
    to have it sent to themselves."""

    token: SecretValue
    hosts: frozenset[str]


class RestApiProcessor:
    """Sends the request; the response's body becomes `<node>.data`, the step shows the whole
    response (status, statusText, url, headers, data).

    A status of 400 or more fails the step with its output kept. `tokens` maps
    `options.auth.provider` to what is sent as `Authorization`.
    """

    def __init__(self, http: SafeHttp, tokens: Mapping[str, ServerToken] | None = None) -> None:
        self._http = http
        self._tokens = tokens or {}

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError when there is no response to tell of."""
        config = parse_rest(node, scope.limits)
        if config.summarize and scope.simulated:
            # Creating a workflow refuses it; one that was stored with it runs as it always did.
            text = "options.summarize is not supported: write the text from earlier outputs"
            raise NodeError(text, code="OPTION_UNSUPPORTED")
        request = self._request(config, scope)
        response = self._http.request(request)
        # The node boundary masks secrets as they were given; what a URL made of them is known here.
        changed = [
            form for secret in scope.secrets.values() for form in as_in_urls(secret.reveal())
        ]
        outcome = _outcome(response, Redactor({}, changed).text(response.url))
        token = self._tokens.get(config.provider)
        return Redactor({config.provider: token.token}).outcome(outcome) if token else outcome

    def replay_safe(self, node: PlanNode) -> bool:
        """The idempotent methods are (RFC 9110 9.2.2); a method that a template makes is not."""
        return str(node.config.get("method") or "GET").strip().upper() in _REPEATABLE

    def _request(self, config: RestConfig, scope: Scope) -> HttpRequest:
        fields = Templated(scope)
        url = fields.text("url", config.url).strip()
        method = fields.text("method", config.method).strip().upper()
        headers = tuple(
            (name, fields.text(f"headers.{name}", value)) for name, value in config.headers
        )
        private = frozenset(
            name.lower() for name, _ in config.headers if fields.tainted(f"headers.{name}")
        )
        body = self._body(config, headers, fields)
        fields.check()
        if method not in METHODS:
            raise invalid(f"method must be one of {', '.join(sorted(METHODS))}")
        if not url.lower().startswith(("http://", "https://")):
            raise invalid("url must start with http:// or https://")
        bounded(body, "body", scope.limits.max_http_bytes)
        return HttpRequest(
            method=method,
            url=url,
            headers=self._with_token(config.provider, url, headers),
            body=body.encode("utf-8", "replace") if body else None,
            deadline=scope.deadline,
            private=private,
        )

    def _body(self, config: RestConfig, headers: Headers, fields: Templated) -> str:
        content_type = next((v for name, v in headers if name.lower() == "content-type"), "")
        if not config.body.strip() or not is_json_type(content_type):
            return fields.text("body", config.body)
        require_json(config.body)
        return fields.json_body("body", config.body)

    def _with_token(self, provider: str, url: str, headers: Headers) -> Headers:
        if not provider:
            return headers
        token = self._tokens.get(provider)
        if token is None:
            raise invalid("options.auth.provider is not known here")
        value = token.token.reveal().strip()
        if not value or any(name.lower() == "authorization" for name, _ in headers):
            return headers
        if parse_target(url).host not in token.hosts:
            raise invalid("options.auth.provider does not belong to the url's host")
        return (*headers, ("Authorization", value if " " in value else f"Bearer {value}"))


def _outcome(response: HttpResponse, url: str) -> Outcome:
    data = body_value(response)
    record: dict[str, JsonValue] = {
        "data": data,
        "status": response.status,
        "statusText": status_text(response),
        "url": url,
        "headers": headers_value(response.headers),
    }
    error = None
    if response.status >= 400:
        retryable = retryable_status(response.status)
        error = StepError("INVALID_REQUEST", status_error(response), retryable)
    return Outcome(data=data, error=error, display=record, has_display=True)
