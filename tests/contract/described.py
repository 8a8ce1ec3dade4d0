"""The committed description, read strictly: what it does not name is not there."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from infra_cdk.local.client import Answer

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
HEADERS = {"x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}


class Description:
    """Judges answers by the committed document."""

    def __init__(self) -> None:
        self.document: Any = json.loads(DOCUMENT.read_text(encoding="utf-8"))
        self._components = _strict(deepcopy(self.document["components"]))

    def operations(self) -> set[str]:
        """Every `METHOD /path`."""
        return {
            f"{method.upper()} {path}"
            for path, item in self.document["paths"].items()
            for method in item
        }

    def check(self, operation: str, answer: Answer) -> None:
        """Raises AssertionError for an undeclared status, header, media type or body."""
        method, _, path = operation.partition(" ")
        replies = self.document["paths"][path][method.lower()]["responses"]
        assert str(answer.status) in replies, f"{operation}: {answer.status} {answer.body}"
        reply = replies[str(answer.status)]
        if "$ref" in reply:
            reply = self.document["components"]["responses"][reply["$ref"].rpartition("/")[2]]
        headers = {name.lower() for name in answer.headers}
        assert headers >= {name.lower() for name in reply["headers"]}, f"{operation}: {headers}"
        content = reply.get("content")
        if content is None:
            assert answer.body is None, f"{operation}: {answer.body}"
            return
        [(media_type, media)] = content.items()
        sent = next(v for k, v in answer.headers.items() if k.lower() == "content-type")
        assert sent.partition(";")[0] == media_type
        schema = {**_strict(deepcopy(media["schema"])), "components": self._components}
        errors = [e.message for e in Draft202012Validator(schema).iter_errors(answer.body)]
        assert not errors, f"{operation} {answer.status}: {errors[:3]}"


def _strict(part: Any) -> Any:
    """Objects with named fields have no others, except where variables are meant."""
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    strict = {key: _strict(item) for key, item in part.items()}
    variables = part.get("properties", {}).keys() & {"settings", "runner"}
    if part.get("type") == "object" and "properties" in part and not variables:
        strict["additionalProperties"] = False
    return strict
