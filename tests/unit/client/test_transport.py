"""Retries, renewal, and what refusals and silence become."""

from __future__ import annotations

import httpx
import pytest

from task_engine_client import ApiError, ProblemEntry, Retries, TaskEngineError, Unreachable
from tests.unit.client.service import BASE, Reply, Service, answer, problem


def test_a_request_carries_the_token_and_reaches_the_verb_unescaped() -> None:
    # Given
    service = Service([answer(200, {"total": 3})])
    # When
    total = service.client().workflows.count(statuses=["enabled", "disabled"])
    # Then
    assert total == 3
    assert str(service.last.url) == f"{BASE}/workflows:count?status=enabled&status=disabled"
    assert service.last.headers["Authorization"] == "Bearer t"
    assert "Content-Type" not in service.last.headers


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    # Given
    service = Service([answer(200, {})])
    # When
    service.client().workflows.get("../secrets?x=1")
    # Then
    assert service.last.url.raw_path == b"/api/v1/workflows/..%2Fsecrets%3Fx%3D1"


def test_every_problem_of_a_refusal_is_kept() -> None:
    # Given
    entry = {"code": "WORKFLOWS_BAD_NODE", "path": "nodes[0].name", "message": "is reserved"}
    service = Service([problem(400, "INVALID", detail="no", errors=[entry], instance="r-1")])
    # When
    with pytest.raises(ApiError, match="no") as caught:
        service.client().workflows.create({})
    # Then
    assert caught.value.status == 400
    assert caught.value.code == "INVALID"
    assert caught.value.request_id == "r-1"
    assert caught.value.errors == (
        ProblemEntry("WORKFLOWS_BAD_NODE", "nodes[0].name", "is reserved"),
    )


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b'{"errors": 7, "detail": 5}', b""])
def test_a_refusal_that_is_no_problem_document_still_is_one_error(content: bytes) -> None:
    # Given what a gateway or a proxy may answer
    service = Service([httpx.Response(403, content=content)])
    # When
    with pytest.raises(ApiError) as caught:
        service.client().workflows.get("a")
    # Then
    assert (caught.value.status, caught.value.code) == (403, "HTTP_403")
    assert "403" in str(caught.value)


def test_a_busy_service_is_asked_again_when_it_says() -> None:
    # Given
    service = Service(
        [
            problem(429, "RATE_LIMITED", detail="slow") if not after else answer(429, {}, **after)
            for after in ({}, {"Retry_After": "3"}, {"Retry_After": "999"})
        ]
        + [answer(200, {"total": 1})]
    )
    # When
    total = service.client().workflows.count()
    # Then it paused as long as asked, within reason
    assert total == 1
    assert service.pauses == [0.5, 3.0, 30.0]


def test_patience_ends() -> None:
    # Given
    service = Service([problem(503, "STORAGE_UNAVAILABLE", detail="later")])
    # When
    with pytest.raises(ApiError, match="later"):
        service.client(attempts=3).workflows.get("a")
    # Then
    assert len(service.requests) == 3


def test_a_create_is_repeated_with_the_same_key_however_it_was_lost() -> None:
    # Given a service that may have stored it three times
    lost = [httpx.ReadTimeout("slow"), problem(503, "STORAGE_UNAVAILABLE"), httpx.ReadError("cut")]
    service = Service([*lost, answer(201, {"id": "w"})])
    # When
    made = service.client().workflows.create({"name": "n"})
    # Then
    assert made.id == "w"
    assert len({request.headers["Idempotency-Key"] for request in service.requests}) == 1
    assert {request.content for request in service.requests} == {b'{"name": "n"}'}
    assert service.pauses == [0.5, 1.0, 2.0]
    # And another one has another key, or the one that it was given
    service.client().workflows.create({})
    first, other = (service.requests[n].headers["Idempotency-Key"] for n in (0, -1))
    assert first != other
    service.client().workflows.create({}, key="mine")
    assert service.last.headers["Idempotency-Key"] == "mine"


def test_a_refused_create_is_not_repeated() -> None:
    # Given a service that knows the key from another definition
    service = Service([problem(409, "IDEMPOTENCY_KEY_REUSED", detail="used")])
    # When
    with pytest.raises(ApiError, match="used"):
        service.client().workflows.create({}, key="mine")
    # Then
    assert len(service.requests) == 1


def test_a_lost_read_is_repeated_and_what_has_no_address_is_not() -> None:
    # Given
    service = Service([httpx.ConnectError("refused"), answer(200, {"total": 2})])
    wrong = Service([httpx.UnsupportedProtocol("ftp")])
    # When
    total = service.client().workflows.count()
    with pytest.raises(Unreachable):
        wrong.client().workflows.count()
    # Then
    assert (total, len(service.requests)) == (2, 2)
    assert len(wrong.requests) == 1


def test_a_partners_assertion_speaks_where_no_token_does() -> None:
    # Given
    service = Service([answer(200, {"found": True, "symbol": "USDC", "decimals": 6})])
    with service.client("t", assertion="a.b.c") as client:
        # When
        token = client.tokens.get("0x1", chain_id=1)
        # Then the token's route has it
        assert (token.found, token.symbol, token.decimals) == (True, "USDC", 6)
        assert service.last.headers["X-Partner-Assertion"] == "a.b.c"
        assert str(service.last.url) == f"{BASE}/tokens/0x1?chainId=1"
        # And the owner's own routes don't
        client.workflows.count()
        assert "X-Partner-Assertion" not in service.last.headers
    with service.client("", assertion="a.b.c") as client:
        client.wallets.list()
        assert service.last.headers["X-Partner-Assertion"] == "a.b.c"


def test_a_trigger_is_repeated_with_the_same_key() -> None:
    # Given
    service = Service([answer(503, {}), answer(202, {"executionId": "e", "status": "pending"})])
    # When
    started = service.client().workflows.trigger("w", data={"n": 1})
    # Then
    assert (started.id, started.workflow_id, started.final) == ("e", "w", False)
    first, second = (request.headers["Idempotency-Key"] for request in service.requests)
    assert first == second
    assert service.body() == {
        "triggerType": "manual",
        "triggerOutput": {"n": 1},
        "isBlocking": False,
    }


@pytest.mark.parametrize(
    "reply", [problem(503, "WITHDRAW_UNAVAILABLE", detail="later"), httpx.ReadTimeout("slow")]
)
def test_a_withdrawal_is_never_repeated(reply: Reply) -> None:
    # Given
    service = Service([reply])
    # When
    with pytest.raises(TaskEngineError):
        service.client().wallets.withdraw("0x1", "0x2", "max")
    # Then
    assert len(service.requests) == 1


def test_a_refused_token_is_renewed_once() -> None:
    # Given
    service = Service([problem(401, "AUTH_INVALID_TOKEN"), answer(200, {"total": 1})])
    # When
    client = service.client("old", renew=lambda: "new")
    # Then
    assert client.workflows.count() == 1
    assert service.last.headers["Authorization"] == "Bearer new"
    assert client.token == "new"


@pytest.mark.parametrize(("renewed", "requests"), [("new", 2), ("", 1)])
def test_a_token_refused_again_is_an_error(renewed: str, requests: int) -> None:
    # Given
    service = Service([problem(401, "AUTH_INVALID_TOKEN", detail="no")])
    # When
    with pytest.raises(ApiError, match="no"):
        service.client("old", renew=lambda: renewed).workflows.count()
    # Then
    assert len(service.requests) == requests


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.InvalidURL("bad")]
)
def test_silence_is_unreachable(failure: Exception) -> None:
    with pytest.raises(Unreachable, match=r"api\.test"):
        Service([failure]).client().workflows.count()


def test_a_page_of_something_else_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="without JSON"):
        Service([httpx.Response(200, text="<html>")]).client().health()


@pytest.mark.parametrize("asked", ["", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_pauses_double_when_no_seconds_are_asked_for(asked: str) -> None:
    retries = Retries(pause=1, longest=5)
    assert [retries.delay(attempt, asked) for attempt in range(4)] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("asked", "pause"), [("-4", 0.0), ("1e9", 5.0), ("nan", 0.5), ("inf", 0.5)]
)
def test_no_header_makes_a_pause_endless(asked: str, pause: float) -> None:
    assert Retries(longest=5).delay(0, asked) == pause
