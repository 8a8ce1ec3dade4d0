"""One real server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.config import Limits
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp

from tests.servers.http_server import HttpServer


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


@pytest.fixture
def http(server: HttpServer) -> Iterator[SafeHttp]:
    """May reach the server's host and port, and nothing else that is private."""
    policy = EgressPolicy([f"127.0.0.1:{server.port}"])
    client = SafeHttp(policy, Limits(max_http_bytes=1_000_000, http_timeout_seconds=5))
    yield client
    client.close()
