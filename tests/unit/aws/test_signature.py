"""Our signatures are those of botocore, which stays the judge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st
from task_engine.aws.credentials import Credentials
from task_engine.aws.signature import Target, encoded_path, encoded_query, signed_headers
from task_engine.errors import ConfigurationError

NOW = datetime(2026, 11, 24, 9, 30, 59, tzinfo=UTC)
HOST = "service.eu-central-1.amazonaws.com"

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=12)
PARTS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\r\n\x00"), min_size=1, max_size=8
)


def by_botocore(target: Target, headers: dict[str, str], body: bytes, token: str) -> str:
    query = encoded_query(target)
    url = f"https://{target.host}{encoded_path(target)}" + (f"?{query}" if query else "")
    request: Any = AWSRequest(method=target.method, url=url, data=body, headers=headers)
    credentials = BotoCredentials("AKIDEXAMPLE", "a secret", token or None)
    signer = S3SigV4Auth if target.service == "s3" else SigV4Auth
    with patch("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None)):
        signer(credentials, target.service, target.region).add_auth(request)
    return str(request.headers["Authorization"])


def by_us(target: Target, headers: dict[str, str], body: bytes, token: str) -> str:
    credentials = Credentials("AKIDEXAMPLE", "a secret", token)
    return signed_headers(target, headers, body, credentials, NOW)["Authorization"]


@settings(max_examples=300, deadline=None)
@given(
    service=st.sampled_from(["dynamodb", "kms", "scheduler", "sqs", "states", "events", "s3"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    parts=st.lists(PARTS.filter(lambda part: part not in (".", "..")), max_size=4),
    query=st.dictionaries(PARTS, TEXT, max_size=4),
    body=st.binary(max_size=64),
    token=st.sampled_from(["", "FwoGZXIvYXdzEXAMPLE//=="]),
)
def test_any_request_is_signed_as_botocore_signs_it(
    service: str,
    method: str,
    parts: list[str],
    query: dict[str, str],
    body: bytes,
    token: str,
) -> None:
    target = Target(
        service, "eu-central-1", method, HOST, "/" + "/".join(parts), tuple(query.items())
    )
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Service.Operation"}
    assert by_us(target, headers, body, token) == by_botocore(target, headers, body, token)


def test_the_query_is_sent_as_it_is_signed() -> None:
    target = Target("scheduler", "r", "GET", HOST, "/", (("b", "x y&z"), ("a", "ü/")))
    assert encoded_query(target) == "a=%C3%BC%2F&b=x%20y%26z"
    assert urlsplit(f"https://{HOST}/?{encoded_query(target)}").query == encoded_query(target)


def test_credentials_are_those_of_the_environment_and_do_not_print() -> None:
    credentials = Credentials.from_env()
    assert (credentials.key, credentials.token) == ("AKIDEXAMPLE", "a session")
    assert "secret of" not in repr(credentials)
    assert "a session" not in repr(credentials)


def test_missing_credentials_are_a_matter_of_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError):
        Credentials.from_env()
