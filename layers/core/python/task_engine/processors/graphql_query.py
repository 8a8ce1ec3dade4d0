"""graphqlQuery: one GraphQL request over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.net.failures import TRANSPORT
from task_engine.net.message import HttpRequest, HttpResponse
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.base import Scope
from task_engine.processors.http_record import body_value, retryable_status, status_error
from task_engine.processors.rest_config import bounded, invalid, required_text
from task_engine.processors.templated import Templated

_HEADERS = (
    ("Content-Type", "application/json"),
    ("Accept", "application/graphql-response+json, application/json"),
)
_IGNORED = re.compile(
    r'''"""(?:[^"]|"(?!""))*+(?:"""|(?P<endless>))
    |"(?:[^"\\\n]|\\.)*+(?:"|(?P<open>))
    |\#[^\n]*+''',
    re.VERBOSE,
)
_TOKENS = re.compile(r"\{\{|[{}]|\b(?:mutation|subscription)\b")


class GraphqlQueryProcessor:
    """POSTs query and variables (spec "GraphQL over HTTP"); the response's `data` becomes
    `<node>.data`. Errors in the response fail the step; partial data is kept."""

    def __init__(self, http: SafeHttp) -> None:
        self._http = http

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError when there is no GraphQL answer."""
        return _outcome(self._http.request(_request(node, scope)))

    def replay_safe(self, node: PlanNode) -> bool:
        """Queries are; a mutation, or what a template may turn into one, is not."""
        query = node.config.get("query")
        return isinstance(query, str) and not _may_change_something(query)


def _request(node: PlanNode, scope: Scope) -> HttpRequest:
    config = node.config
    url = required_text(config.get("url"), "url")
    query = required_text(config.get("query"), "query")
    bounded(url, "url", scope.limits.max_template_bytes)
    bounded(query, "query", scope.limits.max_template_bytes)
    given = config.get("variables")
    if given is not None and not isinstance(given, Mapping):
        raise invalid("variables must be an object")
    fields = Templated(scope)
    address = fields.text("url", url).strip()
    body: dict[str, JsonValue] = {"query": fields.text("query", query)}
    if given:
        body["variables"] = fields.value("variables", dict(given))
    fields.check()
    if not address.lower().startswith(("http://", "https://")):
        raise invalid("url must start with http:// or https://")
    encoded = json.dumps(body).encode()
    if len(encoded) > scope.limits.max_http_bytes:
        raise invalid(f"the request is larger than {scope.limits.max_http_bytes} bytes")
    return HttpRequest("POST", address, _HEADERS, encoded, scope.deadline)


def _outcome(response: HttpResponse) -> Outcome:
    answer = body_value(response)
    retryable = retryable_status(response.status)
    if not isinstance(answer, dict) or not ("data" in answer or answer.get("errors")):
        kind = response.header("content-type").partition(";")[0].strip() or "no content type"
        raise NodeError(
            f"not a GraphQL response: {status_error(response)} ({kind})",
            code=TRANSPORT,
            retryable=retryable,
        )
    data, errors = answer.get("data"), answer.get("errors")
    error = None
    if errors:
        error = StepError("INVALID_REQUEST", f"GraphQL error: {_messages(errors)}", retryable)
    elif response.status >= 400:
        error = StepError("INVALID_REQUEST", status_error(response), retryable)
    return Outcome(data=data, has_data=error is None or data is not None, error=error)


def _messages(errors: JsonValue) -> str:
    if not isinstance(errors, list):
        return "the response has errors"
    texts = [
        str(item.get("message")) if isinstance(item, dict) else "without a message"
        for item in errors
    ]
    more = f" (and {len(texts) - 3} more)" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more


def _may_change_something(query: str) -> bool:
    """Whether an operation outside all braces is no query, or is written by a template; what can't
    be read, because a text in it has no end, may."""
    if any(found.lastgroup for found in _IGNORED.finditer(query)):
        return True
    depth = 0
    for token in _TOKENS.finditer(_IGNORED.sub(" ", query)):
        word = token.group()
        if word == "}":
            depth = max(0, depth - 1)
        elif word in ("{", "{{"):
            if word == "{{" and depth == 0:
                return True
            depth += len(word)
        elif depth == 0:
            return True
    return False
