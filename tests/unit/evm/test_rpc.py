"""Calls of a chain's nodes: failed over and repeated when that may help, never when not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest
from task_engine.evm.failures import RpcError
from task_engine.evm.node import RpcRequest
from task_engine.evm.rpc import Rpc
from task_engine.model.chain import Chain

from tests.fakes.clock import FakeClock
from tests.unit.evm.nodes import CHAIN_ID, Failing, JsonRpcNode, Raw, in_turn, running_node

KEY = "0123456789abcdef-the-key"


@pytest.fixture
def first() -> Iterator[JsonRpcNode]:
    with running_node(f"/v3/{KEY}") as node:
        node.results["eth_blockNumber"] = "0x1"
        yield node


@pytest.fixture
def second() -> Iterator[JsonRpcNode]:
    with running_node(f"/?token={KEY}") as node:
        node.results["eth_blockNumber"] = "0x2"
        yield node


class World:
    """A client with a clock that its pauses move."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.pauses: list[float] = []

    def rpc(self, *urls: str, timeout_seconds: float = 5.0, check_chain: bool = True) -> Rpc:
        return Rpc(
            Chain(CHAIN_ID, rpc_urls=urls),
            clock=self.clock,
            sleep=self._sleep,
            timeout_seconds=timeout_seconds,
            check_chain=check_chain,
        )

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.forward(round(seconds * 1000))


@pytest.fixture
def world() -> World:
    return World()


def test_the_chain_is_checked_with_the_first_call_and_connections_are_kept(
    first: JsonRpcNode, world: World
) -> None:
    rpc = world.rpc(first.url)
    assert [rpc.call("eth_blockNumber") for _ in range(3)] == ["0x1"] * 3
    assert first.methods() == [
        ["eth_chainId", "eth_blockNumber"],
        ["eth_blockNumber"],
        ["eth_blockNumber"],
    ]
    assert len({request.connection for request in first.received}) == 1
    assert {request.path for request in first.received} == {f"/v3/{KEY}"}
    assert rpc.chain_id == CHAIN_ID


def test_answers_are_matched_by_number_and_errors_are_values(
    first: JsonRpcNode, world: World
) -> None:
    # Given a node that answers backwards
    first.shuffled = True
    first.results["double"] = lambda number: number * 2
    first.results["fails"] = Failing(-32000, "nonce too low")
    # When
    calls: list[RpcRequest] = [("double", [1]), ("fails", []), ("double", [3])]
    one, failed, three = world.rpc(first.url).batch(calls)
    # Then
    assert (one, three) == (2, 6)
    assert isinstance(failed, RpcError)
    assert (failed.rpc_code, failed.message) == (-32000, "nonce too low")
    assert not failed.may_retry
    assert len(first.received) == 1


def test_a_hundred_calls_are_one_request_and_more_are_several(
    first: JsonRpcNode, world: World
) -> None:
    first.results["same"] = lambda number: number
    rpc = world.rpc(first.url)
    assert rpc.batch([]) == []
    assert rpc.batch([("same", [n]) for n in range(100)]) == list(range(100))
    assert len(first.received) == 1
    assert rpc.batch([("same", [n]) for n in range(201)]) == list(range(201))
    assert [len(methods) for methods in first.methods()[1:]] == [100, 100, 1]


@pytest.mark.parametrize(
    "refusal",
    [
        Raw(413),
        Raw(body=json.dumps({"id": None, "error": {"code": -32600, "message": "no"}}).encode()),
        Raw(400, json.dumps({"error": {"code": -32005, "message": "batch limit"}}).encode()),
    ],
)
@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_node_that_takes_smaller_batches_gets_them(
    first: JsonRpcNode, world: World, most: int, refusal: Raw
) -> None:
    first.most, first.too_large = most, refusal
    first.results["same"] = lambda number: number
    rpc = world.rpc(first.url)
    assert rpc.batch([("same", [n]) for n in range(12)]) == list(range(12))
    # And the next time it is known
    seen = len(first.received)
    assert rpc.batch([("same", [n]) for n in range(12)]) == list(range(12))
    assert all(len(methods) <= most for methods in first.methods()[seen:])
    assert world.pauses == []


def test_a_single_call_that_is_too_large_is_refused(first: JsonRpcNode, world: World) -> None:
    first.replies = [Raw(413)] * 3
    with pytest.raises(RpcError, match="refuses the request") as caught:
        world.rpc(first.url, check_chain=False).call("eth_blockNumber")
    assert not caught.value.may_retry
    assert len(first.received) == 1


FAILURES = [
    Raw(500, b"<html>"),
    Raw(503),
    Raw(429, headers={"Retry-After": "1"}),
    Raw(hang_up=True),
    Raw(200, b'[{"id": 1, "result": "0xaa36a7"}]', cut=True),
    Raw(200, b"<html>a proxy's page</html>"),
    Raw(200, b"[" * 5000 + b"]" * 5000),
    Raw(200, b"[]"),
    Raw(200, b"5"),
    Raw(200, b'{"id": 1}'),
    Raw(200, b'{"id": 1, "error": "text"}'),
    Raw(200, b'{"id": 7, "result": "0x1"}'),
    Raw(200, b'[{"id": 1, "result": "0x1"}]'),
    Raw(200, b'[{"id": 1, "result": "0xaa36a7"}, {"id": 1, "result": "0x1"}]'),
    Raw(200, b'[{"id": true, "result": "0xaa36a7"}, {"id": 2, "result": "0x1"}]'),
    Raw(200, b'{"id": null, "error": {"code": 429, "message": "slow down"}}'),
    Raw(401, b"who are you"),
    Raw(404),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_another_node_answers_at_once_when_one_fails(
    first: JsonRpcNode, second: JsonRpcNode, world: World, failure: Raw
) -> None:
    first.replies = [failure]
    rpc = world.rpc(first.url, second.url)
    assert rpc.call("eth_blockNumber") == "0x2"
    assert world.pauses == []
    # And the failed one rests, until it is preferred again
    assert rpc.call("eth_blockNumber") == "0x2"
    world.clock.forward(61_000)
    assert rpc.call("eth_blockNumber") == "0x1"
    assert len(first.received) == 2


@pytest.mark.parametrize("failure", FAILURES[:14])
def test_a_failure_that_passes_is_waited_for(
    first: JsonRpcNode, world: World, failure: Raw
) -> None:
    first.replies = [failure, failure]
    assert world.rpc(first.url).call("eth_blockNumber") == "0x1"
    assert len(world.pauses) == 2
    assert len(first.received) == 3


def test_nothing_answers(first: JsonRpcNode, world: World) -> None:
    first.replies = [Raw(503)] * 9
    with pytest.raises(RpcError) as caught:
        world.rpc(first.url, f"http://127.0.0.1:1/{KEY}").call("eth_blockNumber")
    error = caught.value
    assert error.message == (
        f"chain {CHAIN_ID} can't be asked: {first.host} answered with HTTP status 503; "
        "127.0.0.1:1 the connection was refused"
    )
    assert (error.stable_code, error.http_status, error.may_retry) == ("RPC_NODE_ERROR", 503, True)
    assert (len(first.received), len(world.pauses)) == (4, 3)


def test_a_refusal_is_not_repeated(first: JsonRpcNode, world: World) -> None:
    first.replies = [Raw(403, b"no")] * 4
    with pytest.raises(RpcError, match="HTTP status 403") as caught:
        world.rpc(first.url).call("eth_blockNumber")
    assert not caught.value.may_retry
    assert len(first.received) == 1


def test_a_node_says_how_long_to_wait(first: JsonRpcNode, world: World) -> None:
    first.replies = [Raw(429, headers={"Retry-After": "7"})]
    assert world.rpc(first.url).call("eth_blockNumber") == "0x1"
    [pause] = world.pauses
    assert 7 <= pause < 8


def test_a_wait_that_is_too_long_is_not_begun(first: JsonRpcNode, world: World) -> None:
    first.replies = [Raw(429, headers={"Retry-After": "3600"})]
    with pytest.raises(RpcError, match="429") as caught:
        world.rpc(first.url).call("eth_blockNumber")
    assert caught.value.may_retry
    assert world.pauses == []


def test_nothing_is_tried_after_the_end(first: JsonRpcNode, world: World) -> None:
    rpc = world.rpc(first.url)
    end = world.clock.monotonic()
    with pytest.raises(RpcError, match="no time was left") as caught:
        rpc.batch([("eth_blockNumber", [])], until=end)
    assert caught.value.may_retry
    assert first.received == []


def test_an_answer_that_does_not_come_is_not_waited_for(
    first: JsonRpcNode, second: JsonRpcNode, world: World
) -> None:
    never = threading.Event()
    first.replies = [Raw(wait_for=never)]
    rpc = world.rpc(first.url, second.url, timeout_seconds=0.2)
    assert rpc.call("eth_blockNumber") == "0x2"
    never.set()


def test_an_answer_in_drops_ends_with_the_time_for_all_of_it(
    first: JsonRpcNode, second: JsonRpcNode, world: World
) -> None:
    # Given an answer of twenty seconds, no part of which is late
    first.replies = [Raw(200, b" " * 2000, drips=True)]
    rpc = world.rpc(first.url, second.url, timeout_seconds=0.2)
    began = time.monotonic()
    assert rpc.call("eth_blockNumber") == "0x2"
    assert time.monotonic() - began < 10


def test_an_answer_that_is_too_large_is_none(
    first: JsonRpcNode, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("task_engine.evm.transport._LARGEST_BYTES", 1000)
    first.results["same"] = lambda text: text
    rpc = world.rpc(first.url)
    assert rpc.call("same", "x" * 800) == "x" * 800
    with pytest.raises(RpcError, match="the answer is too large"):
        rpc.call("same", "x" * 2000)


def test_only_the_calls_that_were_too_many_are_asked_again(
    first: JsonRpcNode, world: World
) -> None:
    # Given a provider that throttles single calls of a batch
    throttled = Failing(429, "exceeded its compute units per second capacity")
    first.results["slow"] = in_turn(throttled, throttled, "0x5")
    # When
    answers = world.rpc(first.url).batch([("eth_blockNumber", []), ("slow", [])])
    # Then
    assert answers == ["0x1", "0x5"]
    assert first.methods() == [["eth_chainId", "eth_blockNumber", "slow"], ["slow"], ["slow"]]


def test_calls_that_stay_too_many_are_values_and_the_others_are_kept(
    first: JsonRpcNode, world: World
) -> None:
    first.results["slow"] = Failing(-32005, "rate limit exceeded")
    one, slow = world.rpc(first.url).batch([("eth_blockNumber", []), ("slow", [])])
    assert one == "0x1"
    assert isinstance(slow, RpcError)
    assert slow.may_retry


@pytest.mark.parametrize("answer", ["0x1", "", None, Failing(-32601, "unknown method")])
def test_a_node_of_another_chain_is_never_believed(
    first: JsonRpcNode, second: JsonRpcNode, world: World, answer: object
) -> None:
    first.results["eth_chainId"] = answer
    assert world.rpc(first.url, second.url).call("eth_blockNumber") == "0x2"
    with pytest.raises(RpcError, match=r"is of chain 1$|does not tell its chain$") as caught:
        world.rpc(first.url).call("eth_blockNumber")
    assert not caught.value.may_retry


def test_a_bundler_is_not_asked_for_its_chain(first: JsonRpcNode, world: World) -> None:
    del first.results["eth_chainId"]
    assert world.rpc(first.url, check_chain=False).call("eth_blockNumber") == "0x1"


def test_the_key_in_a_url_is_told_nowhere(first: JsonRpcNode, world: World) -> None:
    # Given a node that repeats the key and its URL
    first.results["leak"] = Failing(-32000, f"key {KEY} at {first.url} is not allowed")
    first.results["eth_chainId"] = hex(CHAIN_ID)
    chain = Chain(CHAIN_ID, rpc_urls=(first.url,), bundler_url=first.url, paymaster_url=first.url)
    # When
    [answer] = world.rpc(first.url).batch([("leak", [])])
    # Then
    assert isinstance(answer, RpcError)
    assert answer.message == "key … at … is not allowed"
    assert KEY not in repr(chain)


def test_a_login_in_the_url_is_sent_as_one(first: JsonRpcNode, world: World) -> None:
    url = first.url.replace("http://", "http://us%65r:pass@")
    assert world.rpc(url).call("eth_blockNumber") == "0x1"
    assert first.received[0].headers["authorization"] == "Basic dXNlcjpwYXNz"
    assert "@" not in first.received[0].headers["host"]


def test_a_chain_without_a_url_is_an_error(world: World) -> None:
    with pytest.raises(RpcError, match="has no RPC URL"):
        world.rpc().call("eth_blockNumber")


def test_many_threads_share_a_client(first: JsonRpcNode, world: World) -> None:
    first.results["same"] = lambda number: number
    rpc = world.rpc(first.url)
    answers: dict[int, object] = {}

    def ask(number: int) -> None:
        answers[number] = [rpc.call("same", number), rpc.call("same", -number)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == {number: [number, -number] for number in range(20)}
