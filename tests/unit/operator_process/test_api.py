"""Requests to the engine: signed, ten notices at a time, failures by their kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from task_engine.errors import EngineError, Forbidden, InvalidRequest, Unavailable
from task_engine.evm.signature import recover_signer
from task_engine.evm.signer import LocalSigner
from task_engine.model.shard import Shard
from task_engine.operator.check_codec import CheckPage, page_to_json
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notice_check import read_notice
from task_engine.operator.signed_request import request_text

from task_engine_operator.api import EngineApi
from tests.fakes.clock import START_MS, FakeClock
from tests.unit.operator.samples import BLOCK_HASH, CHAIN, OWNER, watch_blocks

URL = "http://engine.example/stage/api/v1"
SIGNER = LocalSigner("0x" + "4c" * 32)
TASK = "01jabcdefghjkmnpqrstvwxyz0"


class Engine:
    """Remembers requests and answers with what it was given."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer or (lambda _: httpx.Response(200, json={}))
        self.api = EngineApi(URL, SIGNER, FakeClock(), httpx.MockTransport(self.on))

    def on(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)


def findings(count: int, output: str = "x") -> list[Finding]:
    return [
        Finding(Kind.BLOCK, TASK, OWNER, 1, Occurrence(CHAIN, n, BLOCK_HASH), {"text": output})
        for n in range(count)
    ]


def signer_of(request: httpx.Request) -> str:
    """As the engine checks it."""
    path = httpx.URL(request.url).path.removeprefix("/stage/api/v1")
    query: dict[str, list[str]] = {}
    for name, value in request.url.params.multi_items():
        query.setdefault(name, []).append(value)
    stamp = int(request.headers["X-Operator-Timestamp"])
    text = request_text(request.method, path, query, stamp, request.content)
    return recover_signer(text, request.headers["X-Operator-Signature"])


def test_requests_are_signed_over_all_that_they_say() -> None:
    # Given an engine that has two pages of checks
    page = CheckPage((watch_blocks(TASK, 7),), ("gone",), "c==", full=True, more=True)
    engine = Engine(lambda _: httpx.Response(200, json=page_to_json(page)))
    # When a page, a heartbeat and notices are sent
    assert engine.api.page(CHAIN, "a+b=") == page
    engine.api.heartbeat("1.2", {CHAIN: 55})
    engine.api.send(findings(1))
    # Then each is signed by the operator, now
    assert [signer_of(request) for request in engine.requests] == [SIGNER.address] * 3
    stamps = {request.headers["X-Operator-Timestamp"] for request in engine.requests}
    assert stamps == {str(START_MS)}
    first, second, _ = engine.requests
    assert dict(first.url.params) == {"chainId": str(CHAIN), "limit": "500", "after": "a+b="}
    chains = {str(CHAIN): 55}
    assert json.loads(second.content) == {"version": "1.2", "chains": chains, "shard": "1/1"}
    assert second.url.path.endswith(f"/operators/{SIGNER.address}:heartbeat")


def test_an_operator_of_a_part_asks_for_that_and_says_so() -> None:
    engine = Engine(lambda _: httpx.Response(200, json=page_to_json(CheckPage((), (), "c"))))
    api = EngineApi(URL, SIGNER, FakeClock(), httpx.MockTransport(engine.on), shard=Shard(1, 4))
    api.page(CHAIN, "")
    api.heartbeat("1.2", {CHAIN: 55})
    asked, said = engine.requests
    assert asked.url.params["shard"] == "2/4"
    assert signer_of(asked) == SIGNER.address
    assert json.loads(said.content)["shard"] == "2/4"


def test_notices_go_ten_at_a_time_each_signed() -> None:
    engine = Engine()
    engine.api.send(findings(23))
    bodies: list[Any] = [json.loads(request.content) for request in engine.requests]
    assert [len(body["notices"]) for body in bodies] == [10, 10, 3]
    notices = [notice for body in bodies for notice in body["notices"]]
    read = [read_notice(json.dumps(notice), START_MS) for notice in notices]
    assert [notice.finding for notice in read] == findings(23)
    assert {notice.operator for notice in read} == {SIGNER.address}


def test_a_notice_that_no_message_can_hold_holds_up_no_other() -> None:
    engine = Engine()
    engine.api.send([*findings(1), *findings(1, "y" * 300_000), *findings(1)])
    [request] = engine.requests
    assert len(json.loads(request.content)["notices"]) == 2
    assert engine.api.left_out == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, Unavailable),
        (503, Unavailable),
        (429, Unavailable),
        (401, Forbidden),
        (403, Forbidden),
        (400, InvalidRequest),
        (404, InvalidRequest),
    ],
)
def test_failures_say_whether_they_may_pass(status: int, kind: type[EngineError]) -> None:
    problem = {"code": "SOME_CODE", "detail": "because"}
    engine = Engine(lambda _: httpx.Response(status, json=problem))
    with pytest.raises(kind) as caught:
        engine.api.heartbeat("1", {})
    assert caught.value.stable_code == "SOME_CODE"
    assert "because" in caught.value.message


def test_an_answer_that_is_no_json_is_no_check() -> None:
    engine = Engine(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(InvalidRequest):
        engine.api.page(CHAIN, "")


def test_an_engine_out_of_reach_may_come_back() -> None:
    def refused(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unavailable) as caught:
        Engine(refused).api.send(findings(2))
    assert caught.value.stable_code == "ENGINE_UNREACHABLE"
