"""Secrets through the API: stored, scoped, used, never shown."""

from __future__ import annotations

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.leaks import places_with
from infra_cdk.local.login import sign_in
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from tests.cases.case import rest
from tests.e2e.engine import one_node, task_of

pytestmark = pytest.mark.deployed


def put(api: ApiClient, name: str, value: str, task: str = "") -> int:
    body = {"value": value, **({"workflowId": task} if task else {})}
    return api.request("PUT", f"/secrets/{name}", body).status


def test_put_list_replace_and_delete(api: ApiClient) -> None:
    assert put(api, "TOKEN", "first") == 201
    assert put(api, "TOKEN", "second") == 204
    listed = api.get("/secrets")["data"]
    assert [(secret["name"], secret["scope"]) for secret in listed] == [("TOKEN", "user")]
    assert "second" not in str(listed)
    for _ in range(2):
        assert api.request("DELETE", "/secrets/TOKEN").status == 204
    assert api.get("/secrets")["data"] == []


@pytest.mark.parametrize("name", ["ap_thing", "AP_THING", "a-b", "9", "x" * 256])
def test_names_that_templates_cant_use_are_refused(api: ApiClient, name: str) -> None:
    assert put(api, name, "value") == 400


def test_empty_and_oversized_values_are_refused(api: ApiClient) -> None:
    assert put(api, "TOKEN", "") == 400
    assert put(api, "TOKEN", "x" * 4097) == 400
    assert api.get("/secrets")["data"] == []


def test_the_workflows_own_value_beats_the_users(api: ApiClient) -> None:
    source = "return apContext.configVars.KEY.length"
    task = api.create_task(one_node(source))["id"]
    other = api.create_task(one_node(source))["id"]
    put(api, "KEY", "u" * 11)
    put(api, "KEY", "w" * 22, task)
    results = []
    for wanted in (task, other):
        execution = api.trigger(wanted, blocking=True)["executionId"]
        results.append(api.execution(wanted, execution)["steps"][1]["output"]["data"])
    assert results == [22, 11]
    scopes = {(s["scope"], s.get("workflowId")) for s in api.get("/secrets")["data"]}
    assert scopes == {("user", None), ("workflow", task)}


def test_another_owners_secret_does_not_exist(api: ApiClient, anonymous: ApiClient) -> None:
    put(api, "KEY", "mine-and-only-mine")
    other = sign_in(anonymous)
    task = other.create_task(one_node("return typeof apContext.configVars.KEY"))["id"]
    execution = other.trigger(task, blocking=True)["executionId"]
    assert other.execution(task, execution)["steps"][1]["output"]["data"] == "undefined"
    assert other.get("/secrets")["data"] == []


def test_a_value_that_the_world_echoes_stands_nowhere(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    canary = "canary-7f3a9c51e2d84b06"
    put(api, "CANARY", canary)
    template = "{{apContext.configVars.CANARY}}"
    nodes = [
        rest("echo", f"{http_server.url}/echo?key={template}", headers={"X-Key": template}),
        rest("fails", f"{http_server.url}/status/500?key={template}"),
        rest("nowhere", f"http://127.0.0.1:9/{template}"),
        {
            "id": "code",
            "name": "code",
            "type": "customCode",
            "config": {
                "lang": "javascript",
                "source": "const k = apContext.configVars.CANARY; console.log(k, [k]); "
                "state.set('kept', k); throw new Error('bad ' + k)",
            },
        },
    ]
    task = api.create_task(task_of(nodes, [("t", node["id"]) for node in nodes]))["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    shown = api.execution(task, execution)
    assert shown["status"] == "failed"
    assert "[secret]" in str(shown)
    assert canary not in str(shown)
    assert places_with(canary, stage.aws, stage.directory) == []
