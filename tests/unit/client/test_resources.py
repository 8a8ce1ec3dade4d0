"""Paging, waiting, streams, signing in, and documents with more or less than expected."""

from __future__ import annotations

import httpx
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from task_engine_client import (
    ApiError,
    Execution,
    SignInUnavailable,
    Unreachable,
    WaitTimeout,
    Workflow,
)
from tests.unit.client.service import Service, answer, problem


def page(ids: list[str], end: str, *, more: bool) -> httpx.Response:
    """A page of workflows."""
    info = {"hasNextPage": more, "hasPreviousPage": False, "startCursor": "s", "endCursor": end}
    return answer(200, {"data": [{"id": name} for name in ids], "pageInfo": info})


def execution(status: str, *steps: str) -> httpx.Response:
    """An execution whose steps held."""
    ended = [{"id": name, "type": "customCode", "success": True} for name in steps]
    return answer(200, {"id": "e", "workflowId": "w", "status": status, "steps": ended})


def test_all_rows_turn_pages_only_as_they_are_taken() -> None:
    # Given two pages
    service = Service([page(["a", "b"], "c1", more=True), page(["c"], "c2", more=False)])
    # When the first row is taken
    rows = service.client().workflows.all(limit=2)
    assert next(rows).id == "a"
    # Then one page was read, and the rest follows
    assert len(service.requests) == 1
    assert [row.id for row in rows] == ["b", "c"]
    assert service.last.url.params["after"] == "c1"
    assert service.last.url.params["limit"] == "2"


def test_a_cursor_that_stands_still_does_not_turn_for_ever() -> None:
    service = Service([page(["a"], "same", more=True)])
    assert [row.id for row in service.client().workflows.all()] == ["a", "a"]


def test_wait_sees_every_change_and_returns_the_end() -> None:
    # Given a run that goes on
    service = Service(
        [execution("pending"), execution("pending", "t"), execution("success", "t", "n")]
    )
    seen: list[int] = []
    # When
    last = service.client().wait("w", "e", on_change=lambda state: seen.append(len(state.steps)))
    # Then
    assert last.succeeded
    assert seen == [0, 1, 2]
    assert len(service.pauses) == 2


def test_wait_gives_up_in_time() -> None:
    with pytest.raises(WaitTimeout, match="e is pending"):
        Service([execution("pending")]).client().wait("w", "e", timeout=0)


def test_wait_outlives_a_lost_connection_but_not_a_missing_one() -> None:
    # Given a service that is lost for a moment
    lost = httpx.ConnectError("lost")
    service = Service([execution("pending"), lost, lost, execution("success", "t")])
    # Then
    assert service.client().wait("w", "e").succeeded
    # And one that never answered
    with pytest.raises(Unreachable):
        Service([lost]).client().wait("w", "e")


def test_a_stream_ends_with_the_servers_last_word() -> None:
    # Given two frames with a comment between
    frames = (
        'data: {"id":"e","status":"pending"}\n\n: alive\n\ndata: {"id":"e","status":"success"}\n\n'
    )
    service = Service([httpx.Response(200, text=frames)])
    # When
    states = [state.status for state in service.client().executions.stream("w", "e")]
    # Then
    assert states == ["pending", "success"]
    assert service.last.headers["Accept"] == "text/event-stream"


def test_a_refused_stream_is_a_refusal() -> None:
    service = Service([problem(404, "NOT_FOUND", detail="unknown")])
    with pytest.raises(ApiError, match="unknown"):
        list(service.client().executions.stream("w", "e"))


def test_signing_in_proves_the_key_without_sending_it() -> None:
    # Given
    account = Account.create()
    key = account.key.hex()
    service = Service([answer(200, {"token": "new", "expiresAt": "x", "subject": account.address})])
    client = service.client("old")
    # When
    token = client.auth.sign_in(key, chain_id=56)
    # Then the signature is the owner's, and later requests use the new token
    body = service.body()
    message = encode_defunct(text=body["message"])
    assert Account.recover_message(message, signature=body["signature"]) == account.address
    lines = body["message"].split("\n")
    assert (lines[3], lines[7]) == ("Chain ID: 56", f"Wallet: {account.address}")
    assert "Authorization" not in service.last.headers
    assert key.removeprefix("0x") not in service.last.content.decode()
    assert client.token == token.token == "new"
    assert "new" not in repr(token)


@pytest.mark.parametrize("key", ["", "0x12", "z" * 64, "0" * 64, "f" * 64, "0x" + "1" * 63])
def test_what_is_no_key_is_named_without_being_shown(key: str) -> None:
    with pytest.raises(SignInUnavailable) as caught:
        Service([answer(200, {})]).client().auth.sign_in(key)
    assert not key or key not in str(caught.value)


def test_unknown_fields_are_kept_and_missing_ones_are_empty() -> None:
    # Given a document of a later version, with a field of another type
    document = {"id": "w", "nodes": [{"id": "n", "colour": "red"}, 7], "edges": None, "new": 1}
    # When
    workflow = Workflow.of({**document, "executionCount": "many", "trigger": []})
    # Then
    assert [node.id for node in workflow.nodes] == ["n"]
    assert (workflow.edges, workflow.execution_count, workflow.trigger.type) == ((), 0, "")
    assert workflow.raw["new"] == 1
    assert Execution.of({}).steps == ()


def test_a_definition_is_what_create_takes() -> None:
    # Given a stored workflow
    settings = {"runner": "0x1", "id": "w", "owner": "0x2", "name": "n", "own": True}
    stored = Workflow.of(
        {
            "id": "w",
            "name": "n",
            "status": "enabled",
            "createdAt": 1,
            "nodes": [],
            "inputVariables": {"settings": settings, "x": 1},
        }
    )
    # When, then
    assert stored.definition() == {
        "name": "n",
        "nodes": [],
        "inputVariables": {"settings": {"runner": "0x1", "own": True}, "x": 1},
    }


def test_secrets_go_in_the_body_only() -> None:
    # Given
    service = Service([httpx.Response(201)])
    # When
    service.client().secrets.put("a b", "top secret", workflow_id="w")
    # Then
    assert service.last.url.raw_path == b"/api/v1/secrets/a%20b"
    assert service.body() == {"value": "top secret", "workflowId": "w"}


def test_a_node_that_fails_is_a_result() -> None:
    # Given
    service = Service([answer(200, {"success": False, "error": "no", "errorCode": "E"})])
    # When
    result = service.client().nodes.run({"type": "customCode"}, variables={"n": 1})
    # Then
    assert (result.success, result.error, result.error_code, result.data) == (
        False,
        "no",
        "E",
        None,
    )
    assert service.body() == {"node": {"type": "customCode"}, "inputVariables": {"n": 1}}
    assert service.last.headers["Idempotency-Key"]


def test_operators_are_read_with_what_they_tell_and_without() -> None:
    # Given
    known = {"address": "0x1", "supportedChainIds": [1, "x", True, 5], "blockNumber": 7}
    service = Service([answer(200, {"data": [known, {}]})])
    # When
    first, second = service.client("").operators.list()
    # Then
    assert (first.address, first.chain_ids, first.block_number) == ("0x1", (1, 5), 7)
    assert (second.chain_ids, second.version, second.block_number) == ((), "", None)
    assert "Authorization" not in service.last.headers


def test_an_estimate_asks_for_what_prices_depend_on_only() -> None:
    # Given
    service = Service([answer(200, {"executionFee": {"amount": "0.02", "unit": "USD"}})])
    # When
    definition = {"name": "n", "trigger": {"type": "manual"}, "nodes": [], "chainId": 5}
    fees = service.client().workflows.estimate_fees(definition)
    # Then the times that the contract wants are there, though no price depends on them
    assert fees["executionFee"]["unit"] == "USD"
    assert service.body() == {
        "trigger": {"type": "manual"},
        "nodes": [],
        "chainId": 5,
        "createdAt": 0,
        "expireAt": 0,
        "maxExecution": 0,
    }
