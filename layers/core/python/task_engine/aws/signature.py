"""AWS Signature Version 4 in the Authorization header.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from task_engine.aws.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes and which scope signs it. `path` is not encoded, `query` is a mapping
    of single values."""

    service: str
    region: str
    method: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...] = ()


def encoded_path(target: Target) -> str:
    """The path as sent. S3 signs it as it is sent, all other services encode it once more."""
    return quote(target.path, safe="/-_.~")


def encoded_query(target: Target) -> str:
    """The query as sent: sorted, each part encoded."""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in target.query)
    return "&".join(f"{key}={value}" for key, value in pairs)


def signed_headers(
    target: Target,
    headers: dict[str, str],
    body: bytes,
    credentials: Credentials,
    now: datetime | None = None,
) -> dict[str, str]:
    """`headers` with date, token and Authorization added; all of them are signed."""
    moment = now or datetime.now(UTC)
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(body).hexdigest()
    result = {**headers, "Host": target.host, "X-Amz-Date": stamp}
    if target.service == "s3":
        result["X-Amz-Content-SHA256"] = payload
    if credentials.token:
        result["X-Amz-Security-Token"] = credentials.token
    names = sorted((name.lower(), " ".join(value.split())) for name, value in result.items())
    signed = ";".join(name for name, _ in names)
    path = encoded_path(target)
    canonical = "\n".join(
        [
            target.method,
            path if target.service == "s3" else quote(path, safe="/-_.~"),
            encoded_query(target),
            "".join(f"{name}:{value}\n" for name, value in names),
            signed,
            payload,
        ]
    )
    scope = f"{stamp[:8]}/{target.region}/{target.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    key = _signing_key(credentials.secret, stamp[:8], target.region, target.service)
    mac = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    result["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, "
        f"SignedHeaders={signed}, Signature={mac}"
    )
    return result


@lru_cache(maxsize=32)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
