"""REST proxy events (v1) as API Gateway sends them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

BASE = "/api/v1"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def proxy_event(
    method: str,
    path: str,
    *,
    body: object = None,
    headers: dict[str, str] | None = None,
    base: str = BASE,
    encoded: bool = False,
) -> dict[str, Any]:
    """`path` may have a query; a `body` that is no text or bytes is sent as JSON."""
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    text: str | None = None
    if isinstance(body, bytes):
        text = base64.b64encode(body).decode()
    elif body is not None:
        text = body if isinstance(body, str) else json.dumps(body)
        text = base64.b64encode(text.encode()).decode() if encoded else text
    return {
        "resource": "/api/v1/{proxy+}",
        "path": base + parts.path,
        "httpMethod": method,
        "headers": headers or {},
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": REQUEST_ID,
            "stage": "live",
            "path": "/live" + base + parts.path,
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": text,
        "isBase64Encoded": isinstance(body, bytes) or encoded,
    }
