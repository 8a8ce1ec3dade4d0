"""Waiting for a person, on the deployed Standard machine."""

from __future__ import annotations

from typing import Any

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code

pytestmark = pytest.mark.deployed


def approval(node_id: str, **config: Any) -> dict[str, Any]:
    """An await node decided through the API."""
    return {
        "id": node_id,
        "name": node_id,
        "type": "await",
        "config": {"channel": "api", "prompt": "go?", "timeoutSeconds": 600, **config},
    }


def started(api: ApiClient, nodes: list[Any], edges: list[tuple[str, str]]) -> tuple[str, str]:
    """(task id, execution id) of a run that waits."""
    task = api.create_task(
        {
            "trigger": {
                "id": "t",
                "name": "start",
                "type": "manual",
                "config": {"lang": "json", "data": {"n": 1}},
            },
            "nodes": nodes,
            "edges": [
                {"id": f"e{i}", "source": source, "target": target}
                for i, (source, target) in enumerate(edges)
            ],
        }
    )
    answer = api.trigger(task["id"], blocking=False)
    return task["id"], answer["executionId"]


def status(api: ApiClient, ids: tuple[str, str]) -> str:
    found = api.get(f"/executions/{ids[1]}:getStatus", workflowId=ids[0])
    return str(found["status"])


def waiting(api: ApiClient, ids: tuple[str, str]) -> None:
    wait_until(lambda: status(api, ids) == "waiting", "the execution waits", 30)


def signal(api: ApiClient, ids: tuple[str, str], decision: str, payload: Any = None) -> int:
    body = {"decision": decision, **({"payload": payload} if payload is not None else {})}
    path = f"/executions/{ids[1]}:signal"
    return api.request("POST", path, body, query={"workflowId": ids[0]}).status


def names(execution: dict[str, Any]) -> list[str]:
    return [step["name"] for step in execution["steps"][1:]]


CHAIN = [
    approval("ask"),
    code("pay", "return ask.data.payload.amount"),
    code("tell", "return 'refused'"),
]
EDGES = [("t", "ask"), ("ask", "pay"), ("ask.rejected", "tell")]


def test_an_approved_run_goes_on_with_what_was_decided_once(api: ApiClient) -> None:
    ids = started(api, CHAIN, EDGES)
    waiting(api, ids)
    assert signal(api, ids, "maybe") == 400
    assert signal(api, ids, "approve", {"amount": 3}) == 200
    execution = api.finished(*ids)
    assert execution["status"] == "success", execution
    assert names(execution) == ["ask", "pay"]
    assert execution["steps"][1]["type"] == "await"
    assert execution["steps"][1]["output"]["data"]["decision"] == "approve"
    assert execution["steps"][1]["output"]["data"]["by"] == api.owner
    assert execution["steps"][2]["output"]["data"] == 3
    assert signal(api, ids, "approve") == 400, "nothing waits any more"


def test_after_a_rejection_only_what_hangs_on_it_runs(api: ApiClient) -> None:
    ids = started(api, CHAIN, EDGES)
    waiting(api, ids)
    assert signal(api, ids, "reject") == 200
    execution = api.finished(*ids)
    assert execution["status"] == "failed"
    assert names(execution) == ["ask", "tell"]
    assert "rejected by" in execution["steps"][1]["error"]


def test_what_follows_an_approval_alone_does_not_follow_a_rejection(api: ApiClient) -> None:
    ids = started(api, [approval("ask"), code("pay", "return 1")], [("t", "ask"), ("ask", "pay")])
    waiting(api, ids)
    assert signal(api, ids, "reject") == 200
    execution = api.finished(*ids)
    assert (names(execution), execution["skipped"]) == (["ask"], ["pay"])


def test_two_waits_at_once_both_resume(api: ApiClient) -> None:
    nodes = [approval("one"), approval("two"), code("end", "return [one.data.by, two.data.by]")]
    ids = started(api, nodes, [("t", "one"), ("t", "two"), ("one", "end"), ("two", "end")])
    waiting(api, ids)
    # The very same decision again would count as a repeat of the first.
    wait_until(lambda: signal(api, ids, "approve", "first") == 200, "the first is decided", 30)
    wait_until(lambda: signal(api, ids, "approve", "second") == 200, "the second is decided", 30)
    execution = api.finished(*ids)
    assert execution["status"] == "success", execution
    assert execution["steps"][-1]["output"]["data"] == [api.owner, api.owner]


def test_only_approvers_may_decide(api: ApiClient, anonymous: ApiClient) -> None:
    boss, stranger = sign_in(anonymous), sign_in(anonymous)
    nodes = [approval("ask", approvers=[boss.owner]), code("pay", "return ask.data.by")]
    ids = started(api, nodes, [("t", "ask"), ("ask", "pay")])
    waiting(api, ids)
    assert signal(api, ids, "approve") == 403
    assert signal(stranger, ids, "approve") == 404
    assert signal(boss, ids, "approve") == 200
    assert api.finished(*ids)["steps"][-1]["output"]["data"] == boss.owner


def test_the_clock_ends_a_wait(api: ApiClient) -> None:
    nodes = [
        approval("ask", timeoutSeconds=1),
        code("pay", "return 1"),
        code("late", "return 'nobody'"),
    ]
    ids = started(api, nodes, [("t", "ask"), ("ask", "pay"), ("ask.timeout", "late")])
    execution = api.finished(*ids)
    assert execution["status"] == "failed"
    assert names(execution) == ["ask", "late"]
    assert "timed out" in execution["steps"][1]["error"]
