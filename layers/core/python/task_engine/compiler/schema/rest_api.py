"""restApi: one HTTP request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from task_engine.compiler.schema.base import TEMPLATE, Form, Text, described, has_template
from task_engine.compiler.schema.manual import StringMap

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def _method(value: str) -> str:
    if not value or has_template(value) or value.strip().upper() in _METHODS:
        return value
    raise ValueError(f"must be one of {', '.join(_METHODS)}")


_METHOD = described(rf"^\s*([a-zA-Z]+)?\s*$|{TEMPLATE}", *_METHODS)


def _http_url(value: str) -> str:
    if has_template(value) or value.strip().lower().startswith(("http://", "https://")):
        return value
    raise ValueError("must start with http:// or https://")


HttpUrl = Annotated[
    Text,
    AfterValidator(_http_url),
    described(rf"^\s*[hH][tT][tT][pP][sS]?://|{TEMPLATE}", "https://example.com/orders"),
]


class Auth(Form):
    """A token of the deployment, by its provider's name."""

    provider: str


def _no_digest(value: bool) -> bool:
    if value:
        text = "is not supported: write the text from the outputs of earlier nodes"
        raise PydanticCustomError("unsupported", text)
    return value


_NO_DIGEST = Field(
    json_schema_extra={"const": False, "description": "Digests of runs are not written here."}
)


class RestOptions(Form):
    """What the engine adds to the request or makes of the answer."""

    summarize: Annotated[bool, AfterValidator(_no_digest), _NO_DIGEST] | None = None
    auth: Auth | None = None


class RestApiConfig(Form):
    """All texts may hold templates; a body that is no text is sent as JSON."""

    url: HttpUrl
    method: Annotated[str, AfterValidator(_method), _METHOD] | None = None
    headers: StringMap | None = None
    body: Any = None
    options: RestOptions | None = None
