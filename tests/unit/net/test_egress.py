"""No way leads to an address that is not public, whatever the URL, the DNS or a server says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.net.message import HttpRequest
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp

from tests.servers.http_server import HttpServer


class Names:
    """A resolver that gives each of `answers` in turn and remembers what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, name: str, port: int, seconds: float) -> Sequence[str]:
        self.asked.append(name)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def get(http: SafeHttp, url: str) -> int:
    return http.request(HttpRequest("GET", url)).status


def closed(names: Names | None = None, *allowed: str) -> SafeHttp:
    return SafeHttp(
        EgressPolicy(allowed),
        Limits(http_timeout_seconds=5),
        resolver=names or Names(["203.0.113.1"]),
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "0xa9fea9fe",
        "10.0.0.1",
        "100.64.0.1",
        "224.0.0.1",
    ],
)
def test_literal_addresses_are_refused(host: str, server: HttpServer) -> None:
    # Given a server that listens on loopback, and a policy without exceptions
    # When a node asks for it by this spelling
    with pytest.raises(NodeError) as caught:
        get(closed(), f"http://{host}:{server.port}/count/literal")
    # Then it is refused for good, and nothing arrived
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"
    assert not caught.value.may_retry
    assert server.count("literal") == 0


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["2606:4700::1", "::1"], ["169.254.169.254"]],
)
def test_one_private_answer_of_a_name_is_enough_to_refuse(addresses: list[str]) -> None:
    with pytest.raises(NodeError, match="not on the public internet"):
        get(closed(Names(addresses)), "http://rebind.example/")


def test_a_name_is_resolved_once_so_a_changing_answer_does_not_matter(
    server: HttpServer,
) -> None:
    # Given a name that is allowed, whose second answer would be another address
    names = Names(["127.0.0.1"], ["192.0.2.1"])
    http = closed(names, f"changing.example:{server.port}")
    # When it is asked once
    status = get(http, f"http://changing.example:{server.port}/echo")
    # Then the address of the first answer was connected to, and no second was asked for
    assert status == 200
    assert names.asked == ["changing.example"]


def test_a_name_that_turns_private_is_refused_at_the_next_request() -> None:
    names = Names(["127.0.0.1"])
    http = closed(names)
    with pytest.raises(NodeError, match="not on the public internet"):
        get(http, "http://turning.example/")


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/",
        "http://0x7f.1:1/",
        "//10.0.0.1/",
    ],
)
def test_a_redirect_to_a_private_address_is_refused(
    location: str, server: HttpServer, http: SafeHttp
) -> None:
    with pytest.raises(NodeError, match="not on the public internet"):
        get(http, f"{server.url}/redirect?to={location}")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/"])
def test_a_redirect_to_another_scheme_is_refused(
    location: str, server: HttpServer, http: SafeHttp
) -> None:
    with pytest.raises(NodeError, match="http:// or https://"):
        get(http, f"{server.url}/redirect?to={location}")


def test_a_redirect_to_a_url_with_credentials_is_refused(
    server: HttpServer, http: SafeHttp
) -> None:
    with pytest.raises(NodeError, match="user name or password"):
        get(http, f"{server.url}/redirect?to=http://a:b@example.org/")


def test_a_named_port_opens_that_port_alone(server: HttpServer) -> None:
    with HttpServer() as other:
        http = closed(None, f"127.0.0.1:{server.port}")
        assert get(http, f"{server.url}/echo") == 200
        with pytest.raises(NodeError, match="not on the public internet"):
            get(http, f"{other.url}/echo")


def test_a_named_host_opens_all_its_ports_and_no_other_spelling_of_loopback(
    server: HttpServer,
) -> None:
    http = closed(None, "127.0.0.1")
    assert get(http, f"{server.url}/echo") == 200
    with pytest.raises(NodeError, match="not on the public internet"):
        get(http, f"http://127.0.0.2:{server.port}/echo")


def test_a_resolver_without_an_answer_is_a_connection_error_worth_a_retry() -> None:
    with pytest.raises(NodeError, match="connection error") as caught:
        get(closed(Names([])), "http://nowhere.example/")
    assert caught.value.may_retry


def test_a_name_that_does_not_exist_is_a_connection_error() -> None:
    http = SafeHttp(EgressPolicy(), Limits(http_timeout_seconds=10))
    with pytest.raises(NodeError, match=r"connection error|timeout"):
        get(http, "http://does-not-exist.invalid/")
