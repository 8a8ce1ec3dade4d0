"""restApi: one HTTP request."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from task_engine.compiler.schema.base import Form, Text
from task_engine.compiler.schema.manual import StringMap

_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


def _method(value: object) -> object:
    if isinstance(value, str) and ("{{" in value or value.strip().upper() in _METHODS):
        return value
    raise ValueError(f"must be one of {', '.join(sorted(_METHODS))}")


def http_url(value: object) -> object:
    if isinstance(value, str) and value.strip():
        if "{{" in value or value.strip().lower().startswith(("http://", "https://")):
            return value
        raise ValueError("must start with http:// or https://")
    return value


class Auth(Form):
    """A token of the deployment, by its provider's name."""

    provider: str


class RestOptions(Form):
    """What the engine adds to the request or makes of the answer."""

    summarize: bool | None = None
    auth: Auth | None = None


class RestApiConfig(Form):
    """All texts may hold templates."""

    url: Annotated[Text, BeforeValidator(http_url)]
    method: Annotated[str, BeforeValidator(_method)] | None = None
    headers: StringMap | None = None
    body: str | None = None
    options: RestOptions | None = None
