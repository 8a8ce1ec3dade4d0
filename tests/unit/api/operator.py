"""An operator that signs its requests and notices."""

from __future__ import annotations

import base64
from typing import Any

from task_engine.evm.signer import LocalSigner
from task_engine.operator.signed_request import signed_headers

OPERATOR = LocalSigner("0x" + "a1" * 32)


def signed(event: dict[str, Any], now_ms: int, signer: LocalSigner = OPERATOR) -> dict[str, Any]:
    """The event with the three headers over what it asks."""
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    query = event.get("multiValueQueryStringParameters") or {}
    path = event["path"].partition("/api/v1")[2]
    headers = signed_headers(signer, (event["httpMethod"], path, query, body), now_ms)
    return {**event, "headers": {**(event.get("headers") or {}), **headers}}
