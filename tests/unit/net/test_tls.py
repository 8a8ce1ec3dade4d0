"""Certificates are checked against the name in the URL, though an address is connected to."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.net.connections import tls_context
from task_engine.net.message import HttpRequest
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp

from tests.servers.http_server import HttpServer

# A test authority and the certificate that it gave to service.example, good until 2099.
FILES = Path(__file__).parents[2] / "servers" / "tls"


@pytest.fixture(scope="module")
def secure() -> Iterator[HttpServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FILES / "service.example.pem")
    with HttpServer(tls=context) as running:
        yield running


def trusting() -> ssl.SSLContext:
    context = tls_context()
    context.load_verify_locations(FILES / "authority.pem")
    return context


def client(*, trusted: bool = True, seconds: int = 5) -> SafeHttp:
    return SafeHttp(
        EgressPolicy(["service.example", "other.example"]),
        Limits(http_timeout_seconds=seconds),
        resolver=lambda *_: ["127.0.0.1"],
        context=trusting if trusted else tls_context,
    )


def test_the_name_is_sent_and_checked(secure: HttpServer) -> None:
    http = client()
    url = f"https://service.example:{secure.port}/connection"
    first = http.request(HttpRequest("GET", url))
    assert first.status == 200
    assert http.request(HttpRequest("GET", url)).body == first.body


@pytest.mark.parametrize(("host", "trusted"), [("other.example", True), ("service.example", False)])
def test_a_wrong_name_or_an_unknown_authority_is_refused(
    host: str, trusted: bool, secure: HttpServer
) -> None:
    http = client(trusted=trusted)
    with pytest.raises(NodeError, match="connection error: the server's certificate") as caught:
        http.request(HttpRequest("GET", f"https://{host}:{secure.port}/count/{host}"))
    assert not caught.value.may_retry
    assert secure.count(host) == 0


@pytest.mark.parametrize("path", ["/slow", "/drip", "/drip-headers"])
def test_deadlines_hold_over_tls(path: str, secure: HttpServer) -> None:
    url = f"https://service.example:{secure.port}{path}"
    with pytest.raises(NodeError, match="timeout"):
        client(seconds=1).request(HttpRequest("GET", url))


def test_a_server_that_does_not_speak_tls_is_a_connection_error(server: HttpServer) -> None:
    with pytest.raises(NodeError, match="connection error"):
        client().request(HttpRequest("GET", f"https://service.example:{server.port}/"))
