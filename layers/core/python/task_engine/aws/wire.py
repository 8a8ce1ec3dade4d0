"""Signed calls of AWS's JSON and REST protocols over kept connections (docs/adr/0002)."""

from __future__ import annotations

import http.client
import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from task_engine.aws.credentials import Credentials
from task_engine.aws.failures import TimedOut, failure_of, should_repeat
from task_engine.aws.signature import Target, encoded_path, encoded_query, signed_headers
from task_engine.errors import Unavailable
from task_engine.kept_connections import KeptConnections
from task_engine.observability import stage_metric

_TRIES = 4
_BASE_SECONDS = 0.05
_MOST_SECONDS = 1.0
_TIMEOUT_SECONDS = 5.0

# https://docs.aws.amazon.com/general/latest/gr/ : target prefix and JSON version per service.
_JSON_PROTOCOL = {
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "sqs": ("AmazonSQS", "1.0"),
    "kms": ("TrentService", "1.1"),
    "states": ("AWSStepFunctions", "1.0"),
    "events": ("AWSEvents", "1.1"),
}
# What KMS says of a token or ciphertext that is not ours.
_CALLERS_FAULT = frozenset(
    {"InvalidCiphertextException", "KMSInvalidMacException", "ValidationException"}
)
Observer = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """A response that is not an error."""

    status: int
    body: bytes


class AwsClient:
    """Calls of one service; safe for threads. Throttling, 5xx and broken connections are tried up
    to four times with full jitter, then Unavailable is raised; `observer` hears of each call once.
    """

    def __init__(self, service: str, region: str, observer: Observer | None = None) -> None:
        self._service = service
        self._region = region
        self._observer = observer
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        self._overridden = bool(endpoint)
        self._endpoint = endpoint or f"https://{service}.{region}.amazonaws.com"
        self._connections = KeptConnections()

    def call(
        self, operation: str, payload: dict[str, Any], *, prefix: str = "", timeout: float = 0
    ) -> dict[str, Any]:
        """One operation of a JSON protocol; `prefix` goes before the host on AWS itself.

        A call with a `timeout` of its own (seconds) waits so long once: it raises TimedOut and is
        not repeated, since it may be at work. Raises Unavailable, ConditionFailed,
        TransactionCanceled or AwsError.
        """
        target, version = _JSON_PROTOCOL[self._service]
        headers = {
            "Content-Type": f"application/x-amz-json-{version}",
            "X-Amz-Target": f"{target}.{operation}",
        }
        body = json.dumps(payload, separators=(",", ":")).encode()
        answered = self._send(operation, _Request("POST", "/", headers, body, prefix, timeout))
        document: dict[str, Any] = json.loads(answered.body) if answered.body else {}
        return document

    def rest(
        self,
        operation: str,
        method: str,
        path: str,
        body: bytes = b"",
        query: tuple[tuple[str, str], ...] = (),
    ) -> bytes:
        """One operation of a REST protocol; raises as `call`."""
        headers = {"Content-Type": "application/json"} if body and self._service != "s3" else {}
        return self._send(operation, _Request(method, path, headers, body, query=query)).body

    def _send(self, operation: str, request: _Request) -> Answered:
        if self._observer is not None:
            self._observer(self._service, operation)
        for attempt in range(1, _TRIES + 1):
            last = attempt == _TRIES
            try:
                status, name, raw = self._once(request)
            except TimeoutError as error:
                if last or request.timeout:
                    self._tell_failure("")
                    raise TimedOut(
                        f"{operation}: no answer in time from {self._service}"
                    ) from error
            except (OSError, http.client.HTTPException) as error:
                if last:
                    self._tell_failure("")
                    raise Unavailable(f"{operation}: no answer from {self._service}") from error
            else:
                if status < 300:
                    return Answered(status, raw)
                name, document = _error_of(raw, name)
                if last or not should_repeat(status, name):
                    self._tell_failure(name)
                    raise failure_of(operation, status, name, document)
            time.sleep(random.uniform(0, min(_MOST_SECONDS, _BASE_SECONDS * 2**attempt)))
        raise AssertionError("unreachable")

    def _tell_failure(self, name: str) -> None:
        """Count the failures of keys: without them nobody signs in and no secret is read."""
        if self._service == "kms" and name not in _CALLERS_FAULT:
            stage_metric("KmsErrors")

    def _once(self, request: _Request) -> tuple[int, str, bytes]:
        """Status, error name from the header ("" if none) and body."""
        base = urlsplit(self._base(request.prefix))
        target = Target(
            self._service, self._region, request.method, base.netloc, request.path, request.query
        )
        headers = signed_headers(target, request.headers, request.body, Credentials.from_env())
        query = encoded_query(target)
        url = encoded_path(target) + (f"?{query}" if query else "")
        key = f"{base.scheme}://{base.netloc}"
        connection = self._connections.take(key, request.timeout or _TIMEOUT_SECONDS)
        try:
            connection.request(request.method, url, request.body or None, headers)
            response = connection.getresponse()
            raw = response.read()
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(key, connection)
        return response.status, response.getheader("x-amzn-ErrorType") or "", raw

    def _base(self, prefix: str) -> str:
        if self._overridden or not prefix:
            return self._endpoint
        return self._endpoint.replace("https://", f"https://{prefix}", 1)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    prefix: str = ""
    timeout: float = 0
    query: tuple[tuple[str, str], ...] = ()


def _error_of(raw: bytes, header: str) -> tuple[str, dict[str, Any]]:
    """AWS's error name, without namespace and URL, and the error document ({} for XML). The name
    stands in the body (JSON protocols, S3) or in a header (REST-JSON)."""
    try:
        document = json.loads(raw)
    except ValueError:
        text = raw.decode("utf-8", "replace")
        name = text.partition("<Code>")[2].partition("</Code>")[0]
        return name or _plain_name(header), {}
    if not isinstance(document, dict):
        return _plain_name(header), {}
    name = document.get("__type") or header or document.get("code") or document.get("Code") or ""
    return _plain_name(str(name)), document


def _plain_name(text: str) -> str:
    """`namespace#Name:url` as `Name`."""
    return text.partition(":")[0].rpartition("#")[2]
