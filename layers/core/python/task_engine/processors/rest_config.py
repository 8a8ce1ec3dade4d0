"""A REST node's configuration, checked as far as it can be before templates are rendered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.json_text import parse_json

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class RestConfig:
    """Templates as written; `provider` is "" or the name of a server-side token; `summarize` asks
    for a digest that nobody writes."""

    url: str
    method: str
    body: str
    headers: tuple[tuple[str, str], ...]
    provider: str
    summarize: bool = False


def parse_rest(node: PlanNode, limits: Limits) -> RestConfig:
    """Raises NodeError: MISSING_REQUIRED_FIELD or INVALID_NODE_CONFIG."""
    config = node.config
    url = required_text(config.get("url"), "url")
    method = config.get("method") or "GET"
    body = config.get("body")
    if not isinstance(method, str):
        raise invalid("method must be a string")
    parsed = RestConfig(
        url=url,
        method=method,
        body=body if isinstance(body, str) else "" if body is None else json.dumps(body),
        headers=_headers(config.get("headers")),
        provider=_provider(config.get("options")),
        summarize=_summarize(config.get("options")),
    )
    for name, text in (("url", url), *((f"headers.{key}", value) for key, value in parsed.headers)):
        bounded(text, name, limits.max_template_bytes)
    bounded(parsed.body, "body", limits.max_http_bytes)
    return parsed


def required_text(value: JsonValue, field: str) -> str:
    """The stripped text; raises NodeError MISSING_REQUIRED_FIELD for none or a blank one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise NodeError(f"{field} is required", code="MISSING_REQUIRED_FIELD")
    if not isinstance(value, str):
        raise invalid(f"{field} must be a string")
    return value.strip()


def bounded(text: str, field: str, limit: int) -> None:
    """Raises NodeError INVALID_NODE_CONFIG when `text` has more than `limit` bytes of UTF-8."""
    if len(text) > limit or len(text.encode("utf-8", "surrogatepass")) > limit:
        raise invalid(f"{field} is larger than {limit} bytes")


def invalid(message: str) -> NodeError:
    """A configuration that can never work."""
    return NodeError(message, code="INVALID_NODE_CONFIG")


def is_json_type(content_type: str) -> bool:
    """Whether a media type is JSON (RFC 8259) or built on it (RFC 6839)."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def require_json(body: str) -> None:
    """Raises NodeError INVALID_NODE_CONFIG unless `body`, templates unrendered, is JSON."""
    try:
        parse_json(body)
    except ValueError as error:
        raise invalid(
            "body is not valid JSON although its content type is; "
            'templates in it must stand inside strings: {"a": "{{x}}"}'
        ) from error


def _headers(given: JsonValue) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise invalid("headers must be an object")
    if any(isinstance(value, list | dict) for value in given.values()):
        raise invalid("a header's value must be a string")
    return tuple(
        (str(name), value if isinstance(value, str) else json.dumps(value))
        for name, value in given.items()
        if value is not None
    )


def _provider(options: JsonValue) -> str:
    auth = options.get("auth") if isinstance(options, Mapping) else None
    provider = auth.get("provider") if isinstance(auth, Mapping) else None
    return provider.strip().lower() if isinstance(provider, str) else ""


def _summarize(options: JsonValue) -> bool:
    return isinstance(options, Mapping) and options.get("summarize") is True
