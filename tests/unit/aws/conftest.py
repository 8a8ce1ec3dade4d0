"""Credentials that mean nothing, and an endpoint that answers what a test says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.aws.wire import AwsClient

from tests.unit.aws.endpoint import Endpoint, running_endpoint


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret of nobody")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a session")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with running_endpoint() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        # The pauses between tries are drawn at random from 0 to a bound: here always 0.
        monkeypatch.setattr("random.uniform", lambda low, high: low)
        yield running


@pytest.fixture
def dynamodb(endpoint: Endpoint) -> AwsClient:
    return AwsClient("dynamodb", "eu-central-1")
