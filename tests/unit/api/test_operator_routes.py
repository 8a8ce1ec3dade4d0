"""GET /operators."""

from __future__ import annotations

import json
from typing import Any

import pytest
from task_engine.evm.signer import LocalSigner
from task_engine.model.operator import Operator
from task_engine.operator.check_codec import page_from_json
from task_engine.operator.checks import CheckHead, block_check
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notices import NoticeWriter

from tests.unit.api.events import proxy_event
from tests.unit.api.operator import OPERATOR, signed
from tests.unit.api.world import CHAIN, OTHER, OWNER, World

ADDRESS = str(OPERATOR.address)
STRANGER = LocalSigner("0x" + "b2" * 32)
TASK_ID = "01k9zq2a1b3c5d7e9f1g3h5j7k"
HEARTBEAT = f"/operators/{ADDRESS}:heartbeat"
CHECKS = f"/operators/{ADDRESS}/checks"


def notice(world: World, signer: LocalSigner = OPERATOR, **changes: Any) -> dict[str, Any]:
    where = Occurrence(CHAIN, 7, "0x" + "9d" * 32)
    finding = Finding(Kind.BLOCK, TASK_ID, OWNER, 1, where, {"blockNumber": 7})
    return {**NoticeWriter(signer, world.clock).write(finding), **changes}


def test_nobody_watches(world: World) -> None:
    assert world.call("GET", "/operators", token="").json == {"data": []}


def test_operators_are_told_with_what_they_watch(world: World) -> None:
    # Given two operators, one of which watches nothing yet
    seen = world.clock.ms
    world.operators.register(Operator(OWNER, "1.2", seen, {84532: 7, 11155111: 9}, 3))
    world.operators.register(Operator(OTHER))
    # When anybody asks
    found = {row["address"]: row for row in world.call("GET", "/operators", token="").json["data"]}
    # Then both are there
    watching = {"eventMonitoring": True, "blockMonitoring": True, "timeMonitoring": False}
    assert found[OWNER] == {
        "address": OWNER,
        "supportedChainIds": [84532, 11155111],
        "capabilities": watching,
        "version": "1.2",
        "lastSeen": "2026-01-01T00:00:00.000Z",
        "blockNumber": 9,
        "eventCount": 3,
        "rejectedCount": 0,
        "disputedCount": 0,
        "blocks": {"84532": 7, "11155111": 9},
    }
    assert found[OTHER]["supportedChainIds"] == []


def test_the_first_heartbeat_registers(world: World) -> None:
    # When an operator says that it watches two chains
    body = {"version": "1.2", "chains": {str(CHAIN): 70, "84532": 5}}
    answer = world.by_operator("POST", HEARTBEAT, body)
    # Then it is one of the operators
    assert answer.status == 200, answer.text
    assert answer.json["blocks"] == {"84532": 5, str(CHAIN): 70}
    listed = world.call("GET", "/operators", token="").json["data"]
    assert [row["address"] for row in listed] == [ADDRESS]
    # And later heartbeats move it on
    world.clock.forward(30_000)
    moved = world.by_operator("POST", HEARTBEAT, {**body, "chains": {str(CHAIN): 71}}).json
    assert (moved["blocks"], moved["lastSeen"]) == ({str(CHAIN): 71}, "2026-01-01T00:00:30.000Z")


@pytest.mark.parametrize(
    "chains",
    [{"x": 1}, {"-1": 1}, {"0": 1}, {"1": -1}, {"1": "7"}, {"1": True}, {"1": 2**60}, {"²": 1}, []],
)
def test_a_heartbeat_of_no_chain_is_refused(world: World, chains: Any) -> None:
    answer = world.by_operator("POST", HEARTBEAT, {"version": "1", "chains": chains})
    assert answer.status == 400
    assert world.operators.rows == {}


def test_checks_come_as_the_operators_client_reads_them(world: World) -> None:
    head = CheckHead("01k9zq2a1b3c5d7e9f1g3h5j7k", OWNER, 9, 9)
    check = block_check(head, {"chainId": CHAIN, "interval": 5})
    world.checks.rows = [check]
    answer = world.by_operator("GET", f"{CHECKS}?limit=7&chainId={CHAIN}&after=a%2Bb%3D")
    page = page_from_json(answer.json)
    assert (page.checks, page.full, page.cursor) == ((check,), True, "next")
    assert world.checks.asked == [(CHAIN, "a+b=", 7)]


def test_who_has_a_part_of_the_checks_gets_that_part(world: World) -> None:
    # Given checks of two operators who share them
    heads = [CheckHead(f"01k9zq2a1b3c5d7e9f1g3h5j{n:02}", OWNER, 9, 9) for n in range(20)]
    world.checks.rows = [block_check(head, {"chainId": CHAIN, "interval": 5}) for head in heads]
    # When each asks for its own
    parts = []
    for shard in ("1/2", "2/2"):
        answer = world.by_operator("GET", f"{CHECKS}?chainId={CHAIN}&shard={shard}")
        page = page_from_json(answer.json)
        assert (page.full, page.cursor) == (True, "next")
        parts.append({check.id for check in page.checks})
    # Then each check comes to one of them
    assert parts[0] | parts[1] == {head.id for head in heads}
    assert not parts[0] & parts[1]
    assert all(parts)


def test_a_heartbeat_says_which_part_is_watched(world: World) -> None:
    body = {"version": "1", "chains": {str(CHAIN): 7}, "shard": "2/4"}
    assert world.by_operator("POST", HEARTBEAT, body).json["shard"] == "2/4"
    assert world.call("GET", "/operators", token="").json["data"][0]["shard"] == "2/4"
    # One that watches everything again says nothing
    assert "shard" not in world.by_operator("POST", HEARTBEAT, {**body, "shard": "1/1"}).json
    answer = world.by_operator("POST", HEARTBEAT, {**body, "shard": "5/4"})
    assert (answer.status, answer.problems) == (400, {("shard", "INVALID_REQUEST")})


@pytest.mark.parametrize(
    "query", ["", "?chainId=0", "?chainId=x", "?chainId=1&limit=501", "?chainId=1&shard=0/2"]
)
def test_checks_of_no_chain_are_refused(world: World, query: str) -> None:
    assert world.by_operator("GET", CHECKS + query).status == 400


def test_notices_are_queued(world: World) -> None:
    sent = notice(world)
    answer = world.by_operator("POST", "/operators/notices", {"notices": [sent]})
    assert answer.status == 202, answer.text
    assert answer.json == {
        "accepted": 1,
        "results": [{"id": sent["id"], "status": "queued"}],
    }
    [queued] = world.notices.sent
    assert (json.loads(queued.body), queued.owner) == (sent, OWNER)


def test_everything_wrong_with_notices_is_told_and_none_is_queued(world: World) -> None:
    stale = notice(world, time="2025-01-01T00:00:00.000Z")
    sent = [notice(world), stale, {"specversion": "1.0"}, "notice"]
    answer = world.by_operator("POST", "/operators/notices", {"notices": sent})
    assert answer.status == 400
    paths = {path.split(".")[0] for path, _ in answer.problems}
    assert paths == {"notices[1]", "notices[2]", "notices[3]"}
    assert ("notices[1].time", "NOTICE_STALE") in answer.problems
    assert ("notices[1].signature", "NOTICE_BAD_SIGNATURE") in answer.problems
    assert world.notices.sent == []


def test_notices_of_another_operator_are_not_passed_on(world: World) -> None:
    answer = world.by_operator("POST", "/operators/notices", {"notices": [notice(world, STRANGER)]})
    assert (answer.status, answer.json["code"]) == (403, "OPERATOR_NOT_ALLOWED")
    assert world.notices.sent == []


@pytest.mark.parametrize("count", [0, 11])
def test_no_notices_and_too_many_are_refused(world: World, count: int) -> None:
    sent = [notice(world)] * count
    assert world.by_operator("POST", "/operators/notices", {"notices": sent}).status == 400


def test_a_key_that_nobody_listed_is_not_listened_to(world: World) -> None:
    path = f"/operators/{STRANGER.address}:heartbeat"
    answer = world.by_operator("POST", path, {"chains": {}}, STRANGER)
    assert (answer.status, answer.json["code"]) == (403, "OPERATOR_NOT_ALLOWED")
    assert world.operators.rows == {}


def test_an_operator_speaks_for_itself_alone(world: World) -> None:
    answer = world.by_operator("POST", f"/operators/{OTHER}:heartbeat", {"chains": {}})
    assert (answer.status, answer.json["code"]) == (403, "OPERATOR_NOT_ALLOWED")


def _changed(event: dict[str, Any], **headers: str) -> dict[str, Any]:
    return {**event, "headers": {**event["headers"], **headers}}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"X-Operator-Address": str(STRANGER.address)}, "AUTH_INVALID_SIGNATURE"),
        ({"X-Operator-Signature": "0x" + "11" * 65}, "AUTH_INVALID_SIGNATURE"),
        ({"X-Operator-Signature": "nonsense"}, "AUTH_INVALID_SIGNATURE"),
        ({"X-Operator-Signature": ""}, "OPERATOR_SIGNATURE_REQUIRED"),
        ({"X-Operator-Timestamp": "0"}, "OPERATOR_TIMESTAMP_STALE"),
        ({"X-Operator-Timestamp": "²"}, "OPERATOR_TIMESTAMP_STALE"),
        ({"X-Operator-Timestamp": "9" * 40}, "OPERATOR_TIMESTAMP_STALE"),
        ({"X-Operator-Timestamp": "1767225600001"}, "AUTH_INVALID_SIGNATURE"),
    ],
)
def test_a_signature_holds_for_what_was_signed(
    world: World, change: dict[str, str], code: str
) -> None:
    event = signed(proxy_event("POST", HEARTBEAT, body={"chains": {}}), world.clock.ms)
    answer = world.send(_changed(event, **change))
    assert (answer.status, answer.json["code"]) == (401, code)


def test_another_method_path_query_or_body_is_not_what_was_signed(world: World) -> None:
    event = signed(proxy_event("GET", f"{CHECKS}?chainId=1"), world.clock.ms)
    other_query = {**event, "multiValueQueryStringParameters": {"chainId": ["2"]}}
    beat = signed(proxy_event("POST", HEARTBEAT, body={"chains": {}}), world.clock.ms)
    other_body = {**beat, "body": '{"chains": {"1": 1}}'}
    assert world.send(event).status == 200
    assert [world.send(each).status for each in (other_query, other_body)] == [401, 401]


@pytest.mark.parametrize("by", [61_000, -61_000])
def test_a_signature_is_good_for_a_minute(world: World, by: int) -> None:
    event = signed(proxy_event("GET", f"{CHECKS}?chainId=1"), world.clock.ms)
    world.clock.forward(by)
    assert world.send(event).json["code"] == "OPERATOR_TIMESTAMP_STALE"


def test_a_body_in_base64_is_signed_as_it_is_meant(world: World) -> None:
    event = proxy_event("POST", HEARTBEAT, body={"chains": {"1": 7}}, encoded=True)
    assert world.send(signed(event, world.clock.ms)).status == 200
