"""An HTTP answer as JSON."""

from __future__ import annotations

from http import HTTPStatus

from task_engine.model.json_value import JsonValue
from task_engine.net.message import Headers, HttpResponse
from task_engine.processors.json_text import parse_json

_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


def body_value(response: HttpResponse) -> JsonValue:
    """The body: JSON if it can be read as such, else its text; "" when it is empty."""
    text = response.text()
    if not text.strip():
        return text
    try:
        value = parse_json(text)
    except ValueError:
        return text
    return _without_lone_surrogates(value) if "\\u" in text else value


def status_text(response: HttpResponse) -> str:
    """The reason phrase that was sent, else the registered one."""
    if response.reason:
        return response.reason
    try:
        return HTTPStatus(response.status).phrase
    except ValueError:
        return ""


def status_error(response: HttpResponse) -> str:
    """`HTTP 404: Not Found`."""
    return f"HTTP {response.status}: {status_text(response)}".rstrip(": ")


def retryable_status(status: int) -> bool:
    """Whether the same request may succeed later (RFC 9110 15, RFC 6585)."""
    return status in _RETRYABLE


def headers_value(headers: Headers) -> dict[str, JsonValue]:
    """Names as `Content-Type`, whatever the server's spelling; repeated ones become a list."""
    found: dict[str, JsonValue] = {}
    for name, value in headers:
        key = "-".join(part.capitalize() for part in name.split("-"))
        before = found.get(key)
        if before is None:
            found[key] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            found[key] = [before, value]
    return found


def _without_lone_surrogates(value: JsonValue) -> JsonValue:
    """JSON may escape halves of characters; no UTF-8 text can hold them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {
            str(_without_lone_surrogates(key)): _without_lone_surrogates(item)
            for key, item in value.items()
        }
    return value
