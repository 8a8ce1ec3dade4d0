"""Nodes, triggers and simulations on the deployed stage."""

from __future__ import annotations

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from tests.cases.case import branch, code, graphql, keep, loop, rest
from tests.e2e.engine import one_node, task_of

pytestmark = pytest.mark.deployed


def test_a_node_is_run_with_a_secret_that_nobody_sees(
    api: ApiClient, http_server: HttpServer
) -> None:
    api.put_secret("TOKEN", "very-secret-token")
    node = rest(
        "r",
        f"{http_server.url}/echo",
        headers={"X-Token": "{{apContext.configVars.TOKEN}}"},
    )
    answer = api.request("POST", "/nodes:run", {"node": node})
    assert answer.status == 200
    assert answer.body["success"] is True
    assert answer.body["metadata"]["status"] == 200
    assert answer.body["output"]["data"] == answer.body["metadata"]["data"]
    assert "very-secret-token" not in str(answer.body)


def test_the_same_key_sends_a_request_once(api: ApiClient, http_server: HttpServer) -> None:
    node = rest("r", f"{http_server.url}/count/one-shot", method="POST")
    headers = {"Idempotency-Key": "once"}
    answers = [api.request("POST", "/nodes:run", {"node": node}, headers=headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert answers[0].body == answers[1].body == answers[2].body
    assert http_server.count("one-shot") == 1


def test_a_simulation_runs_every_kind_and_leaves_nothing(
    api: ApiClient, http_server: HttpServer, graphql_server: GraphqlServer
) -> None:
    nodes = [
        code("items", "return [1, 2, 3, 4]"),
        keep("large", "{{items.data}}", "value > 2"),
        loop("each", "{{large.data}}", {**code("x", "return value * 10")}),
        branch("choose", ("yes", "if", "{{each.data.length}} == 2")),
        rest("call", f"{http_server.url}/echo"),
        graphql("ask", graphql_server.url, "{ __typename }"),
    ]
    edges = [
        ("t", "items"), ("items", "large"), ("large", "each"),
        ("each", "choose"), ("choose.yes", "call"), ("call", "ask"),
    ]  # fmt: skip
    body = task_of(nodes, edges, inputVariables={"settings": {"runner": api.wallet}})
    shown = api.post("/workflows:simulate", body)
    assert shown["status"] == "success", shown
    assert shown["workflowId"] == ""
    assert [step["success"] for step in shown["steps"]] == [True] * 7
    assert api.get("/workflows:count")["total"] == 0
    assert api.get("/executions:count")["total"] == 0


def test_a_task_is_created_once_per_key(api: ApiClient) -> None:
    variables = {"settings": {"runner": api.wallet}}
    body = {"smartWalletAddress": api.wallet, "inputVariables": variables, **one_node()}
    headers = {"Idempotency-Key": "one"}
    first, again = (api.request("POST", "/workflows", body, headers=headers) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert api.get("/workflows:count")["total"] == 1
    other = api.request("POST", "/workflows", {**body, "name": "other"}, headers=headers)
    assert (other.status, other.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
