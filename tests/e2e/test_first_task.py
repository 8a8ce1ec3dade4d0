"""The thinnest whole path: sign in, create a task, run it, read what it did."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import TEST_CHAIN, login_message, sign, sign_in, throw_away_account

pytestmark = pytest.mark.deployed

TASK = {
    "name": "add",
    "trigger": {
        "id": "start",
        "name": "start",
        "type": "manual",
        "config": {"lang": "json", "data": {"a": 20, "b": 22}},
    },
    "nodes": [
        {
            "id": "sum",
            "name": "sum",
            "type": "customCode",
            "config": {
                "lang": "javascript",
                "source": "return { total: start.data.a + start.data.b };",
            },
        }
    ],
    "edges": [{"id": "e1", "source": "start", "target": "sum"}],
    "maxExecution": 5,
}


def test_a_blocking_trigger_returns_the_finished_execution(api: ApiClient) -> None:
    # Given a task of one customCode node
    task = api.create_task(TASK)
    # When it is triggered and waited for
    answer = api.trigger(task["id"], blocking=True)
    # Then the record is readable at once, with the trigger as step 0 and the node's output
    assert answer["status"] == "success", answer
    execution = api.execution(task["id"], answer["executionId"])
    assert [step["id"] for step in execution["steps"]] == ["start", "sum"]
    assert execution["steps"][1]["output"] == {"data": {"total": 42}}
    assert execution["index"] == 0
    assert api.get(f"/workflows/{task['id']}")["executionCount"] == 1


def test_a_non_blocking_trigger_answers_first_and_finishes_later(api: ApiClient) -> None:
    # Given
    task = api.create_task(TASK)
    # When
    answer = api.trigger(task["id"], blocking=False)
    # Then
    assert answer["status"] == "pending"
    execution = api.finished(task["id"], answer["executionId"])
    assert execution["status"] == "success", execution
    assert execution["steps"][1]["output"] == {"data": {"total": 42}}
    assert execution["endAt"] >= execution["startAt"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/workflows"), ("POST", "/workflows"), ("GET", "/wallets"), ("GET", "/secrets")],
)
def test_without_a_token_nothing_is_told(anonymous: ApiClient, method: str, path: str) -> None:
    # When
    answer = anonymous.request(method, path)
    # Then
    assert answer.status == 401
    assert answer.body["status"] == 401


def test_a_foreign_signature_is_not_a_login(anonymous: ApiClient) -> None:
    # Given a message for one wallet, signed by another
    owner, stranger = throw_away_account(), throw_away_account()
    message = login_message(
        owner.address, anonymous.base_url, now=datetime.now(UTC), chain_id=TEST_CHAIN
    )
    # When
    answer = anonymous.request(
        "POST",
        "/auth:exchange",
        {"ownerAddress": owner.address, "signature": sign(stranger, message), "message": message},
    )
    # Then
    assert answer.status == 401
    assert answer.body["code"] == "AUTH_INVALID_SIGNATURE"


def test_an_owner_sees_only_its_own_tasks(api: ApiClient, anonymous: ApiClient) -> None:
    # Given
    task = api.create_task(TASK)
    # When somebody else asks for it
    answer = sign_in(anonymous).request("GET", f"/workflows/{task['id']}")
    # Then it does not exist for them
    assert answer.status == 404
