"""Requests, redirects, deadlines and sizes against a real server."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.net.message import Headers, HttpRequest, HttpResponse
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp

from tests.servers.http_server import HttpServer


def ask(
    http: SafeHttp,
    url: str,
    method: str = "GET",
    headers: Headers = (),
    body: bytes | None = None,
    private: frozenset[str] = frozenset(),
) -> HttpResponse:
    return http.request(HttpRequest(method, url, headers, body, private=private))


def echoed(response: HttpResponse) -> dict[str, Any]:
    parsed = json.loads(response.body)
    assert isinstance(parsed, dict)
    return parsed


def quick(server: HttpServer, seconds: int = 1, size: int = 1_000_000) -> SafeHttp:
    limits = Limits(http_timeout_seconds=seconds, max_http_bytes=size)
    return SafeHttp(EgressPolicy([f"127.0.0.1:{server.port}"]), limits)


def test_method_headers_body_and_query_arrive(server: HttpServer, http: SafeHttp) -> None:
    response = ask(
        http, f"{server.url}/echo?a=1", "PATCH", (("X-Token", "é"), ("Host", "evil")), b"hello"
    )
    seen = echoed(response)
    assert (response.status, response.reason) == (200, "OK")
    assert seen["method"] == "PATCH"
    assert seen["query"] == {"a": "1"}
    assert seen["body"] == "hello"
    assert seen["headers"]["X-Token"].encode("latin-1").decode() == "é"
    assert seen["headers"]["Host"] == f"127.0.0.1:{server.port}"
    assert seen["headers"]["Content-Length"] == "5"


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection", "Upgrade"])
def test_framing_is_not_the_callers(name: str, server: HttpServer, http: SafeHttp) -> None:
    seen = echoed(ask(http, f"{server.url}/echo", "POST", ((name, "999"),), b"abc"))
    assert seen["body"] == "abc"
    assert seen["headers"].get(name) in (None, "3")


@pytest.mark.parametrize(
    "header", [("X-A", "1\r\nX-B: 2"), ("X-A", "a\nb"), ("X A", "1"), ("", "")]
)
def test_headers_can_not_be_smuggled(
    header: tuple[str, str], server: HttpServer, http: SafeHttp
) -> None:
    with pytest.raises(NodeError) as caught:
        ask(http, f"{server.url}/echo", headers=(header,))
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def test_repeated_headers_are_all_there(server: HttpServer, http: SafeHttp) -> None:
    response = ask(http, f"{server.url}/set-cookie")
    cookies = [value for name, value in response.headers if name == "Set-Cookie"]
    assert cookies == ["a=1", "b=2"]


def test_a_compressed_body_is_unpacked(server: HttpServer, http: SafeHttp) -> None:
    assert ask(http, f"{server.url}/gzipped").body == b'{"zipped": true}'


@pytest.mark.parametrize("path", ["/status/204", "/status/304"])
def test_an_answer_without_a_body(path: str, server: HttpServer, http: SafeHttp) -> None:
    assert ask(http, server.url + path).body == b""


@pytest.mark.parametrize(
    ("status", "method", "after", "body"),
    [
        (301, "POST", "GET", ""),
        (302, "POST", "GET", ""),
        (302, "PUT", "PUT", "x"),
        (303, "PUT", "GET", ""),
        (307, "POST", "POST", "x"),
        (308, "DELETE", "DELETE", "x"),
    ],
)
def test_what_a_redirect_does_to_the_method(
    status: int, method: str, after: str, body: str, server: HttpServer, http: SafeHttp
) -> None:
    headers = (("Content-Type", "text/plain"),)
    response = ask(http, f"{server.url}/redirect?status={status}&to=/echo", method, headers, b"x")
    seen = echoed(response)
    assert (seen["method"], seen["body"]) == (after, body)
    assert ("Content-Type" in seen["headers"]) == bool(body)
    assert response.url == f"{server.url}/echo"


def test_credentials_stay_with_their_origin(server: HttpServer) -> None:
    # Given a server that redirects to another origin
    with HttpServer() as other:
        http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits())
        headers = (("Authorization", "a"), ("Cookie", "b"), ("X-Key", "c"), ("X-Plain", "d"))
        private = frozenset({"x-key"})
        # When it is asked with credentials
        there = echoed(
            ask(http, f"{server.url}/redirect?to={other.url}/echo", "GET", headers, None, private)
        )
        here = echoed(ask(http, f"{server.url}/redirect?to=/echo", "GET", headers, None, private))
    # Then only its own origin sees them
    assert {"Authorization", "Cookie", "X-Key"}.isdisjoint(there["headers"])
    assert there["headers"]["X-Plain"] == "d"
    assert {"Authorization", "Cookie", "X-Key"} <= here["headers"].keys()


def test_five_redirects_are_followed_and_not_six(server: HttpServer, http: SafeHttp) -> None:
    assert ask(http, f"{server.url}/bounce/5").body == b'{"arrived": true}'
    with pytest.raises(NodeError, match="more than 5 redirects"):
        ask(http, f"{server.url}/bounce/6")


@pytest.mark.parametrize("path", ["/slow", "/drip", "/drip-headers"])
def test_what_is_slow_ends_at_the_deadline(path: str, server: HttpServer) -> None:
    # Given a server that does not answer, or so slowly that every read gets a byte in time
    started = time.monotonic()
    # When it is asked by a client that waits for a second
    with pytest.raises(NodeError, match="timeout") as caught:
        ask(quick(server), server.url + path)
    # Then the whole exchange took about a second
    assert 0.9 <= time.monotonic() - started < 3
    assert caught.value.stable_code == "RPC_NODE_ERROR"
    assert caught.value.may_retry


def test_a_nearer_deadline_of_the_caller_counts(server: HttpServer, http: SafeHttp) -> None:
    started = time.monotonic()
    with pytest.raises(NodeError, match="timeout"):
        http.request(HttpRequest("GET", f"{server.url}/slow", deadline=started + 0.2))
    assert time.monotonic() - started < 2


def test_a_deadline_that_has_passed_sends_nothing(server: HttpServer, http: SafeHttp) -> None:
    with pytest.raises(NodeError, match="timeout"):
        http.request(HttpRequest("GET", f"{server.url}/count/late", deadline=time.monotonic() - 1))
    assert server.count("late") == 0


@pytest.mark.parametrize("path", ["/endless", "/bytes/200001", "/gzip-bomb?megabytes=50"])
def test_a_body_above_the_limit_is_refused(path: str, server: HttpServer) -> None:
    with pytest.raises(NodeError, match="larger than 200000 bytes") as caught:
        ask(quick(server, 10, 200_000), server.url + path)
    assert not caught.value.may_retry


def test_a_body_of_exactly_the_limit_is_taken(server: HttpServer) -> None:
    assert len(ask(quick(server, 10, 200_000), f"{server.url}/bytes/200000").body) == 200_000


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/cut", "connection error: the response ended early"),
        ("/drop", "connection error: the server closed the connection"),
        ("/bad-gzip", "can't be decompressed"),
    ],
)
def test_broken_answers_are_named(
    path: str, words: str, server: HttpServer, http: SafeHttp
) -> None:
    with pytest.raises(NodeError, match=words) as caught:
        ask(http, server.url + path)
    assert caught.value.stable_code == "RPC_NODE_ERROR"


def test_a_port_without_a_server_is_a_connection_error() -> None:
    with HttpServer() as gone:
        url = gone.url
    http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits())
    with pytest.raises(NodeError, match="connection error") as caught:
        ask(http, url)
    assert caught.value.may_retry


def test_the_next_address_is_tried_when_one_refuses(server: HttpServer) -> None:
    names = f"two.example:{server.port}"
    http = SafeHttp(EgressPolicy([names]), Limits(), resolver=lambda *_: ["127.0.0.9", "127.0.0.1"])
    assert ask(http, f"http://{names}/echo").status == 200


def test_a_connection_is_used_again(server: HttpServer, http: SafeHttp) -> None:
    first = ask(http, f"{server.url}/connection").body
    assert ask(http, f"{server.url}/connection").body == first
    assert ask(http, f"{server.url}/connection", "POST", (), b"x").body == first


def test_an_idle_connection_that_the_server_closed_is_replaced(server: HttpServer) -> None:
    with HttpServer() as restarted:
        http = SafeHttp(EgressPolicy(["127.0.0.1"]), Limits())
        ask(http, f"{restarted.url}/status/200")
        restarted.hang_up()
        assert ask(http, f"{restarted.url}/status/200", "POST", (), b"x").status == 200
