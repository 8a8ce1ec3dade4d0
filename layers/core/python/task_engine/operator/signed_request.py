"""Requests that an operator signs with its key, instead of a token.

Three headers: `X-Operator-Address`, `X-Operator-Timestamp` (ms since the epoch) and
`X-Operator-Signature`, the EIP-191 signature (`personal_sign`) of this text:

    <METHOD>
    <path below /api/v1, with the query>
    <timestamp>
    <SHA-256 of the body in lower-case hex, also of the empty body>

The path is signed unescaped. The query is signed as `?name=value&…`, sorted by name and value and
escaped as RFC 3986 says, in whatever order it is sent; without parameters it is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from task_engine.evm.signature import personal_message_hash
from task_engine.evm.signer import Signer

ADDRESS_HEADER = "X-Operator-Address"
TIMESTAMP_HEADER = "X-Operator-Timestamp"
SIGNATURE_HEADER = "X-Operator-Signature"
MAX_AGE_MS = 60_000

Query = Mapping[str, Sequence[str]]


def request_text(method: str, path: str, query: Query, timestamp_ms: int, body: bytes) -> bytes:
    """What is signed of a request; `path` begins with a slash and is not escaped."""
    pairs = sorted((name, value) for name, values in query.items() for value in values)
    escaped = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    target = f"{path}?{escaped}" if escaped else path
    digest = hashlib.sha256(body).hexdigest()
    text = f"{method.upper()}\n{target}\n{timestamp_ms}\n{digest}"
    return text.encode("utf-8", "surrogatepass")


def signed_headers(
    signer: Signer, request: tuple[str, str, Query, bytes], now_ms: int
) -> dict[str, str]:
    """The headers of a request (method, path, query, body) that is sent now."""
    method, path, query, body = request
    text = request_text(method, path, query, now_ms, body)
    signature = signer.sign(personal_message_hash(text))
    return {
        ADDRESS_HEADER: str(signer.address),
        TIMESTAMP_HEADER: str(now_ms),
        SIGNATURE_HEADER: "0x" + signature.hex(),
    }
