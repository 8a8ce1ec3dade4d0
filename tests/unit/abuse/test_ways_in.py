"""Requests of nodes that are meant for what stands inside: nothing that listens is reached."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.balance import BalanceProcessor
from task_engine.processors.balance_indexer import IndexerBalances
from task_engine.processors.base import Scope
from task_engine.processors.graphql_query import GraphqlQueryProcessor
from task_engine.processors.rest_api import RestApiProcessor

from tests.servers.http_server import HttpServer

PUBLIC = "93.184.216.34"


class Listener:
    """Takes every connection to loopback, of IPv4 and IPv6, on one port, and counts them."""

    def __init__(self) -> None:
        self.reached = 0
        first = socket.create_server(("127.0.0.1", 0))
        self.port: int = first.getsockname()[1]
        self._sockets = [first]
        with contextlib.suppress(OSError):
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for listening in self._sockets:
            threading.Thread(target=self._serve, args=(listening,), daemon=True).start()

    def _serve(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self.reached += 1
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                connection.close()

    def close(self) -> None:
        for listening in self._sockets:
            listening.close()


@pytest.fixture(scope="module")
def inside() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that are connected to; those that are not loopback refuse."""
    seen: list[str] = []
    connect = socket.socket.connect

    def recorded(self: socket.socket, address: tuple[str, int]) -> None:
        seen.append(str(address[0]))
        if not str(address[0]).startswith("127."):
            raise ConnectionRefusedError
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recorded)
    return seen


Ask = Callable[[SafeHttp, str], object]


def by_rest(http: SafeHttp, url: str) -> object:
    node = PlanNode("n", "n", NodeType.REST_API, {"url": "{{where}}"}, 1)
    return RestApiProcessor(http).run(node, Scope({"where": url}))


def by_graphql(http: SafeHttp, url: str) -> object:
    node = PlanNode("n", "n", NodeType.GRAPHQL_QUERY, {"url": "{{where}}", "query": "{ a }"}, 1)
    return GraphqlQueryProcessor(http).run(node, Scope({"where": url}))


def by_indexer(http: SafeHttp, url: str) -> object:
    config = {"address": "0x71C7656EC7ab88b098defB751B7401B5f6d8976F", "chain": "base"}
    node = PlanNode("n", "n", NodeType.BALANCE, config, 1)
    return BalanceProcessor(IndexerBalances(http, url, {8453: "ETH"})).run(node, Scope({}))


WAYS: dict[str, Ask] = {"REST": by_rest, "GraphQL": by_graphql, "indexer": by_indexer}
HOSTS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f000001",
    "0x7F.0.0.0x1",
    "0x7f.1",
    "0",
    "0.0.0.0",  # noqa: S104
    "0x0",
    "127.255.255.254",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25eth0]",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "127\u30020\u30020\u30021",
    "127\uff0e0\uff0e0\uff0e1",
    "\u0661\u0662\u0667.0.0.1",
    "localhost",
    "LOCALHOST.",
    "l\u24decalhost",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "%31%32%37.0.0.1",
    "127.0.0.1%00.example.org",
    "127.0.0.1%2eexample.org",
    "example.org@127.0.0.1",
    "127.0.0.1\\@example.org",
    "127.0.0.1#@example.org",
    "127.0.0.1?@example.org",
    "169.254.169.254",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "169.254.170.2",
    "100.100.100.200",
    "metadata.google.internal",
]


def closed(resolver: Callable[[str, int, float], list[str]] | None = None) -> SafeHttp:
    """Knows loopback for every name, and may reach nothing that is private."""
    return SafeHttp(
        EgressPolicy(),
        Limits(http_timeout_seconds=3),
        resolver=resolver or (lambda name, port, seconds: ["127.0.0.1", "::1"]),
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_leads_inside(
    way: str, host: str, inside: Listener, dialled: list[str]
) -> None:
    # When a node asks for a host inside, whatever it is called
    with pytest.raises(NodeError) as caught:
        WAYS[way](closed(), f"http://{host}:{inside.port}/latest/meta-data")
    # Then it is told so for good, and nobody was connected to
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"
    assert not caught.value.may_retry
    assert (dialled, inside.reached) == ([], 0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "gopher://127.0.0.1:{port}/_GET",
        "dict://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "ws://127.0.0.1:{port}/",
        "unix:///var/run/docker.sock",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
        "data:text/plain,x",
        "//127.0.0.1:{port}/",
        "http:127.0.0.1:{port}",
        "http:/127.0.0.1:{port}",
        "http:///127.0.0.1:{port}",
        "http://me:hunter2@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@127.0.0.1:{port}/",
        "http://a\r\nHost: b@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\t/",
        "http://\u00ad127.0.0.1:{port}/",
        "\u0000http://127.0.0.1:{port}/",
        "jar:http://127.0.0.1:{port}!/",
    ],
)
def test_no_other_scheme_or_form_leads_inside(
    way: str, url: str, inside: Listener, dialled: list[str]
) -> None:
    with pytest.raises(NodeError) as caught:
        WAYS[way](closed(), url.replace("{port}", str(inside.port)))
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"
    assert "hunter2" not in caught.value.message
    assert (dialled, inside.reached) == ([], 0)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_connected_to_is_what_was_checked(
    way: str, inside: Listener, dialled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a name that the machine's resolver knows by a public address once, then by loopback
    asked: list[str] = []

    def changing(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        address = PUBLIC if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    http = SafeHttp(EgressPolicy(), Limits(http_timeout_seconds=3))
    # When a node asks for it
    with pytest.raises(NodeError, match="connection error"):
        WAYS[way](http, f"http://rebinding.example:{inside.port}/")
    # Then only the first address was tried; and at the next request the second is refused
    assert (asked, dialled) == (["rebinding.example"], [PUBLIC])
    with pytest.raises(NodeError, match="not on the public internet"):
        WAYS[way](http, f"http://rebinding.example:{inside.port}/")
    assert (dialled, inside.reached) == ([PUBLIC], 0)


@pytest.mark.parametrize("addresses", [[PUBLIC, "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1%lo"]])
def test_one_address_inside_is_enough(
    addresses: list[str], inside: Listener, dialled: list[str]
) -> None:
    with pytest.raises(NodeError, match="not on the public internet"):
        by_rest(closed(lambda *_: addresses), f"http://both.example:{inside.port}/")
    assert (dialled, inside.reached) == ([], 0)


@pytest.fixture(scope="module")
def outside() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


@pytest.mark.parametrize("host", HOSTS)
def test_no_redirect_leads_inside(
    host: str, inside: Listener, outside: HttpServer, dialled: list[str]
) -> None:
    # Given a server that may be asked, and redirects to every spelling of what may not
    http = SafeHttp(
        EgressPolicy([f"127.0.0.1:{outside.port}"]),
        Limits(http_timeout_seconds=3),
        resolver=lambda name, port, seconds: ["127.0.0.1"],
    )
    statuses = (301, 302, 303, 307, 308)
    for status in statuses:
        # Headers are written in Latin-1, so that this makes them UTF-8.
        place = quote(f"http://{host.encode().decode('latin-1')}:{inside.port}/", safe="")
        # When it is followed
        with pytest.raises(NodeError) as caught:
            by_rest(http, f"{outside.url}/redirect?status={status}&to={place}")
        # Then it ends there
        assert caught.value.stable_code == "INVALID_NODE_CONFIG"
    http.close()
    assert inside.reached == 0
    assert set(dialled) == {"127.0.0.1"}


def test_a_chain_of_redirects_ends_inside_nowhere(inside: Listener, outside: HttpServer) -> None:
    http = SafeHttp(EgressPolicy([f"127.0.0.1:{outside.port}"]), Limits(http_timeout_seconds=3))
    last = quote(f"http://127.0.0.1:{inside.port}/", safe="")
    middle = quote(f"{outside.url}/redirect?to={last}", safe="")
    with pytest.raises(NodeError, match="not on the public internet"):
        by_rest(http, f"{outside.url}/redirect?to={middle}")
    http.close()
    assert inside.reached == 0


@pytest.mark.parametrize(
    "value", ["a\r\nHost: inside", "a\nX: b", "a\0b", "a\r\n\r\nGET /second HTTP/1.1"]
)
def test_a_header_is_no_second_request(value: str, outside: HttpServer) -> None:
    http = SafeHttp(EgressPolicy([f"127.0.0.1:{outside.port}"]), Limits())
    node = PlanNode(
        "n",
        "n",
        NodeType.REST_API,
        {"url": f"{outside.url}/count/smuggled", "headers": {"X-Given": "{{given}}"}},
        1,
    )
    with pytest.raises(NodeError, match="can't hold"):
        RestApiProcessor(http).run(node, Scope({"given": value}))
    assert outside.count("smuggled") == 0


def test_the_listener_counts_who_reaches_it() -> None:
    # Given a listener of its own, and a policy that allows it
    listener = Listener()
    http = SafeHttp(EgressPolicy([f"127.0.0.1:{listener.port}"]), Limits())
    # When it is asked, then it was reached
    by_rest(http, f"http://127.0.0.1:{listener.port}/")
    assert listener.reached == 1
    listener.close()
