"""Every route of the deployed stage answers as the committed description says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra_cdk.local.client import Answer, ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.contract.chain_routes import use_operators, use_wallets
from tests.contract.described import Description
from tests.e2e.chains import OnChain

pytestmark = pytest.mark.deployed
WORKFLOWS = Path(__file__).parents[2] / "events" / "workflows"
UNKNOWN = "01kdvt7qbgyx0wd3f8hq2m4n5p"
TASK: dict[str, Any] = {
    "name": "described",
    "trigger": {"id": "t", "name": "start", "type": "manual", "config": {"data": {"n": 1}}},
    "nodes": [
        {
            "id": "n1",
            "name": "number",
            "type": "customCode",
            "config": {"lang": "javascript", "source": "console.log('seen'); return start.data.n"},
            "retry": {"maxAttempts": 2},
        },
        {
            "id": "n2",
            "name": "choice",
            "type": "branch",
            "config": {
                "conditions": [
                    {"id": "many", "type": "if", "expression": "number.data > 1"},
                    {"id": "few", "type": "else"},
                ]
            },
        },
        {
            "id": "n3",
            "name": "broken",
            "type": "customCode",
            "config": {"lang": "javascript", "source": "throw new Error('on purpose')"},
        },
        {"id": "n4", "name": "never", "type": "customCode", "config": {"source": "return 1"}},
    ],
    "edges": [
        {"id": "e1", "source": "t", "target": "n1"},
        {"id": "e2", "source": "n1", "target": "n2"},
        {"id": "e3", "source": "n2.few", "target": "n3"},
        {"id": "e4", "source": "n2.many", "target": "n4"},
    ],
    "maxExecution": 10,
}
WAITING = {
    "name": "waits",
    "trigger": {"id": "t", "name": "start", "type": "manual", "config": {}},
    "nodes": [
        {
            "id": "ask",
            "name": "ask",
            "type": "await",
            "config": {"channel": "api", "timeoutSeconds": 600},
        }
    ],
    "edges": [{"id": "e1", "source": "t", "target": "ask"}],
}


@pytest.fixture(scope="module")
def description() -> Description:
    return Description()


class Caller:
    """Sends requests and judges every answer; remembers which operations were answered well."""

    def __init__(self, api: ApiClient, description: Description) -> None:
        self._api = api
        self._description = description
        self.seen: set[str] = set()

    def __call__(
        self,
        operation: str,
        status: int,
        body: Any = None,
        *,
        query: Any = None,
        headers: Any = None,
        **path: str,
    ) -> Any:
        method, _, template = operation.partition(" ")
        answer = self._api.request(method, template.format(**path), body, query, headers)
        assert answer.status == status, f"{operation}: {answer.status} {answer.body}"
        self._description.check(operation, answer)
        if status < 300 or status == 501:
            self.seen.add(operation)
        return answer.body


Call = Callable[..., Any]


@pytest.fixture
def owner(stage: LocalStage) -> OnChain:
    """An owner whose key the test has."""
    return OnChain(stage)


@pytest.fixture
def api(owner: OnChain) -> ApiClient:
    """That owner's client."""
    return owner.api


@pytest.fixture
def call(api: ApiClient, description: Description) -> Caller:
    return Caller(api, description)


def test_every_operation_answers_as_described(
    owner: OnChain, api: ApiClient, call: Caller, description: Description
) -> None:
    for use in (
        _access,
        _wallets,
        _secrets,
        _workflows,
        _one_shot,
        _executions,
        _waits,
    ):
        use(api, call)
    use_wallets(owner, call)
    use_operators(api, call)
    elsewhere = {"POST /auth:exchange", "GET /tokens/{address}"}
    assert call.seen | elsewhere == description.operations()


def _access(api: ApiClient, call: Call) -> None:
    call("GET /health", 200)
    call("GET /docs", 200)
    assert call("GET /openapi.json", 200)["openapi"] == "3.1.0"
    call("POST /auth:exchange", 400, {"ownerAddress": "0x1"})


def _wallets(api: ApiClient, call: Call) -> None:
    call("GET /wallets", 200)
    call("GET /wallets", 400, query={"chainId": "x"})
    made = call("POST /wallets", 201, {"salt": "7"})
    call("POST /wallets", 200, {"salt": "7"})
    call("POST /wallets", 400, {"salt": "-12"})
    call("PATCH /wallets/{address}", 200, {"isHidden": True}, address=made["address"])
    call("PATCH /wallets/{address}", 404, {"isHidden": True}, address="0x" + "1" * 40)


def _secrets(api: ApiClient, call: Call) -> None:
    call("PUT /secrets/{name}", 201, {"value": "v"}, name="described")
    call("PUT /secrets/{name}", 204, {"value": "v"}, name="described")
    call("PUT /secrets/{name}", 400, {"value": ""}, name="described")
    call("PUT /secrets/{name}", 501, {"value": "v", "orgId": "o"}, name="described")
    assert call("GET /secrets", 200)["data"]
    call("GET /secrets", 400, query={"after": "no cursor"})
    call("DELETE /secrets/{name}", 204, name="described")


def _workflows(api: ApiClient, call: Call) -> None:
    made = _create(api, call, TASK)
    for file in sorted(WORKFLOWS.glob("*.json")):
        _create(api, call, json.loads(file.read_text(encoding="utf-8")))
    call("POST /workflows", 400, {"trigger": {}})
    assert call("GET /workflows", 200, query={"limit": 1})["pageInfo"]["hasNextPage"]
    call("GET /workflows", 400, query={"limit": -1})
    call("GET /workflows:count", 200)
    call("GET /workflows/{id}", 200, id=made["id"])
    call("GET /workflows/{id}", 404, id=UNKNOWN)
    call("POST /workflows/{id}:pause", 200, id=made["id"])
    call("POST /workflows/{id}:trigger", 400, {"triggerType": "manual"}, id=made["id"])
    call("POST /workflows/{id}:resume", 200, id=made["id"])
    call("POST /workflows/{id}:resume", 404, id=UNKNOWN)
    call("POST /workflows/{id}:trigger", 202, {"triggerType": "manual"}, id=made["id"])
    call("DELETE /workflows/{id}", 204, id=_create(api, call, TASK)["id"])
    call("DELETE /workflows/{id}", 204, id=UNKNOWN)


def _create(api: ApiClient, call: Call, task: Any) -> Any:
    variables = {**task.get("inputVariables", {}), "settings": {"runner": api.wallet}}
    body = {**task, "smartWalletAddress": api.wallet, "inputVariables": variables}
    return call("POST /workflows", 201, body)


def _one_shot(api: ApiClient, call: Call) -> None:
    graph = {name: TASK[name] for name in ("trigger", "nodes", "edges")}
    variables = {"settings": {"runner": api.wallet}}
    for node in (*graph["nodes"], {**TASK["nodes"][0], "config": {}}):
        call("POST /nodes:run", 200, {"node": node, "inputVariables": {"start": {"data": 1}}})
    call("POST /nodes:run", 400, {"node": {"type": "none"}})
    call("POST /triggers:run", 200, {"trigger": {**TASK["trigger"], "config": {}}})
    cron = {"name": "c", "type": "cron", "config": {"schedules": ["@daily"]}}
    assert call("POST /triggers:run", 200, {"trigger": cron})["output"]["data"]["timestamp"]
    call("POST /triggers:run", 400, {"trigger": {"type": "none"}})
    run = call("POST /workflows:simulate", 200, {**graph, "inputVariables": variables})
    assert run["workflowId"] == ""
    call("POST /workflows:simulate", 400, graph)
    priced = {**graph, "createdAt": 0, "expireAt": 0, "maxExecution": 1}
    call("POST /workflows:estimateFees", 200, priced)
    call("POST /workflows:estimateFees", 400, {})


def _executions(api: ApiClient, call: Call) -> None:
    task = _create(api, call, TASK)["id"]
    blocking = {"triggerType": "manual", "isBlocking": True}
    done = call("POST /workflows/{id}:trigger", 200, blocking, id=task)
    assert done["status"] == "failed"
    run, query = done["executionId"], {"workflowId": task}
    execution = call("GET /executions/{id}", 200, query=query, id=run)
    assert [step["success"] for step in execution["steps"]] == [True, True, True, False]
    assert execution["skipped"] == ["n4"]
    call("GET /executions/{id}", 400, id=run)
    call("GET /executions/{id}", 404, query=query, id=UNKNOWN)
    call("GET /executions/{id}:getStatus", 200, query=query, id=run)
    assert call("GET /executions/{id}:stream", 200, query=query, id=run).startswith("data: {")
    call("GET /executions/{id}:stream", 400, query={**query, "interval": "soon"}, id=run)
    assert call("GET /executions", 200, query=query)["data"]
    call("GET /executions", 400)
    call("GET /executions", 404, query={"workflowId": UNKNOWN})
    assert call("GET /workflows/{id}/executions", 200, id=task)["data"]
    again = call("POST /executions/{id}:rerun", 202, query=query, id=run)
    assert api.finished(task, again["executionId"])["index"] == 1
    call("POST /executions/{id}:rerun", 404, query=query, id=UNKNOWN)
    call("POST /executions/{id}:rerun", 400, id=run)
    call("POST /executions/{id}:resume", 409, query=query, id=run)
    call("POST /executions/{id}:resume", 404, query=query, id=UNKNOWN)
    call("POST /executions/{id}:resume", 400, id=run)
    assert call("GET /executions:count", 200)["total"] >= 1
    call("GET /executions:stats", 200)


def _waits(api: ApiClient, call: Call) -> None:
    task = _create(api, call, WAITING)["id"]
    run = call("POST /workflows/{id}:trigger", 202, {"triggerType": "manual"}, id=task)
    query = {"workflowId": task}
    path = f"/executions/{run['executionId']}:getStatus"
    wait_until(lambda: api.get(path, **query)["status"] == "waiting", "the wait", 60, 0.1)
    call("GET /executions/{id}", 200, query=query, id=run["executionId"])
    # It is being walked: nothing to do.
    call("POST /executions/{id}:resume", 200, query=query, id=run["executionId"])
    call(
        "POST /executions/{id}:signal",
        200,
        {"decision": "approve", "payload": {"by": uuid4().hex}},
        query=query,
        id=run["executionId"],
    )
    api.finished(task, run["executionId"])
    call("GET /executions/{id}", 200, query=query, id=run["executionId"])


def test_the_log_in_answers_as_described(anonymous: ApiClient, description: Description) -> None:
    # Given a client that records what the log-in was answered
    answers: list[Answer] = []

    class Recorder(ApiClient):
        def request(self, *args: Any, **kwargs: Any) -> Answer:
            answers.append(super().request(*args, **kwargs))
            return answers[-1]

    # When it signs in
    sign_in(Recorder(anonymous.base_url))
    # Then
    assert answers[0].status == 200
    description.check("POST /auth:exchange", answers[0])


def test_without_a_token_every_route_answers_as_described(
    anonymous: ApiClient, description: Description
) -> None:
    path = {
        "id": UNKNOWN,
        "name": "x",
        "address": "0x" + "1" * 40,
        "policyId": "x",
        "userOpHash": "0x" + "1" * 64,
    }
    for operation in description.operations():
        method, _, template = operation.partition(" ")
        answer = anonymous.request(method, template.format(**path))
        description.check(operation, answer)
        described = description.document["paths"][template][method.lower()]
        public = {} in described.get("security", [])
        assert (answer.status == 401) != public, operation


def test_a_path_of_any_characters_reaches_its_route(api: ApiClient) -> None:
    for text in ("%01", "%F3%B5%BA%AFo", "%E2%82%AC", "a%20b"):
        assert api.request("DELETE", f"/workflows/{text}").status == 204
        assert api.request("GET", f"/workflows/{text}").body["code"] == "WORKFLOW_NOT_FOUND"
