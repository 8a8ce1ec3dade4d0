"""Tasks through the API: refused, found, changed, bounded."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.engine import Deployment, Json, count_of, one_node, statuses

pytestmark = pytest.mark.deployed


def create(api: ApiClient, body: Json) -> Json:
    variables = {"settings": {"runner": api.wallet}}
    return api.request("POST", "/workflows", {"inputVariables": variables, **body})


def test_every_problem_is_told_at_once_and_nothing_is_stored(api: ApiClient) -> None:
    body = one_node(source="", unknown=1, maxExecution=0)
    body["nodes"].append({"id": "a.b", "name": "class", "type": "restApi", "config": {}})
    body["edges"].append({"id": "e9", "source": "nobody", "target": "run"})
    answer = create(api, body)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    paths = {problem["path"] for problem in answer.body["errors"]}
    assert {
        "unknown",
        "maxExecution",
        "nodes[0].config.source",
        "nodes[1].id",
        "nodes[1].name",
        "nodes[1].config.url",
        "edges[1].source",
    } <= paths
    assert all(problem["code"] and problem["message"] for problem in answer.body["errors"])
    assert api.get("/workflows:count")["total"] == 0


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff\xfe", b"null", b'{"a":NaN}'])
def test_a_body_that_is_no_json_object_is_refused(api: ApiClient, content: bytes) -> None:
    answer = api.request("POST", "/workflows", content)
    assert answer.status == 400
    assert answer.body["status"] == 400


def test_a_cycle_is_named(api: ApiClient) -> None:
    body = one_node()
    body["nodes"].append({**body["nodes"][0], "id": "b", "name": "b"})
    body["edges"] += [
        {"id": "x", "source": "run", "target": "b"},
        {"id": "y", "source": "b", "target": "run"},
    ]
    answer = create(api, body)
    assert answer.status == 400
    assert "cycle" in str(answer.body["errors"])


def test_a_wallet_of_somebody_else_is_refused(api: ApiClient, anonymous: ApiClient) -> None:
    other = sign_in(anonymous)
    body = {**one_node(), "inputVariables": {"settings": {"runner": other.wallet}}}
    answer = create(api, body)
    assert answer.status == 400
    assert "inputVariables.settings.runner" in str(answer.body["errors"])


def test_pages_forwards_and_backwards_are_the_same(api: ApiClient) -> None:
    created = [api.create_task(one_node(name=f"task {i}"))["id"] for i in range(7)]
    forwards: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("/workflows", limit=3, **cursor)
        forwards.append([row["id"] for row in page["data"]])
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = {"after": page["pageInfo"]["endCursor"]}
    assert [task for page in forwards for task in page] == created[::-1]
    before = page["pageInfo"]["startCursor"]
    backwards = api.get("/workflows", limit=3, before=before)
    assert [row["id"] for row in backwards["data"]] == forwards[-2]
    assert api.request("GET", "/workflows", query={"limit": -1}).status == 400
    assert api.request("GET", "/workflows", query={"after": "???"}).status == 400


def test_lists_and_counts_by_wallet_and_status(api: ApiClient) -> None:
    first = api.create_task(one_node())["id"]
    second = api.create_task(one_node())["id"]
    api.post(f"/workflows/{first}:pause")
    assert [r["id"] for r in api.get("/workflows", status="enabled")["data"]] == [second]
    assert api.get("/workflows:count", status="disabled")["total"] == 1
    assert api.get("/workflows:count", smartWalletAddress=api.wallet)["total"] == 2
    foreign = "0x000000000000000000000000000000000000dEaD"
    refused = api.request("GET", "/workflows", query={"smartWalletAddress": foreign})
    assert refused.status == 400


def test_pause_and_resume_can_be_repeated_and_pause_stops_triggers(api: ApiClient) -> None:
    task = api.create_task(one_node())["id"]
    for _ in range(2):
        assert api.post(f"/workflows/{task}:pause")["status"] == "disabled"
    refused = api.request("POST", f"/workflows/{task}:trigger", {"triggerType": "manual"})
    assert (refused.status, refused.body["code"]) == (400, "TASK_DISABLED")
    for _ in range(2):
        assert api.post(f"/workflows/{task}:resume")["status"] == "enabled"
    assert api.trigger(task, blocking=True)["status"] == "success"


def test_a_deleted_task_is_gone_and_its_executions_stay(api: ApiClient) -> None:
    task = api.create_task(one_node())["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    for _ in range(2):
        assert api.request("DELETE", f"/workflows/{task}").status == 204
    assert api.request("GET", f"/workflows/{task}").status == 404
    assert api.execution(task, execution)["status"] == "success"


def test_another_owner_sees_and_changes_nothing(api: ApiClient, anonymous: ApiClient) -> None:
    other = sign_in(anonymous)
    task = api.create_task(one_node())["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    for method, path in [
        ("GET", f"/workflows/{task}"),
        ("POST", f"/workflows/{task}:pause"),
        ("POST", f"/workflows/{task}:resume"),
        ("GET", f"/workflows/{task}/executions"),
        ("GET", f"/executions/{execution}?workflowId={task}"),
        ("GET", f"/executions/{execution}:getStatus?workflowId={task}"),
        ("GET", f"/executions?workflowId={task}"),
    ]:
        assert other.request(method, path).status == 404, path
    fired = other.request("POST", f"/workflows/{task}:trigger", {"triggerType": "manual"})
    assert fired.status == 404
    assert other.request("DELETE", f"/workflows/{task}").status == 204
    assert api.get(f"/workflows/{task}")["status"] == "enabled"
    assert other.get("/workflows:count")["total"] == 0
    assert other.get("/executions:count", workflowId=task)["total"] == 0


def test_the_last_allowed_run_completes_the_task(api: ApiClient) -> None:
    task = api.create_task(one_node(maxExecution=2))["id"]
    assert api.trigger(task, blocking=True)["status"] == "success"
    assert api.get(f"/workflows/{task}")["remainingExecutions"] == 1
    assert api.trigger(task, blocking=True)["status"] == "success"
    done = api.get(f"/workflows/{task}")
    assert done["status"] == "completed"
    assert done["completionReason"] == "TASK_COMPLETION_REASON_MAX_EXECUTIONS_REACHED"
    assert done["remainingExecutions"] == 0
    refused = api.request("POST", f"/workflows/{task}:trigger", {"triggerType": "manual"})
    assert refused.status == 400
    assert api.request("POST", f"/workflows/{task}:resume").status == 409


def test_parallel_triggers_never_overrun_the_budget(api: ApiClient) -> None:
    task = api.create_task(one_node(maxExecution=5))["id"]

    def fire(_: int) -> int:
        body = {"triggerType": "manual"}
        return api.request("POST", f"/workflows/{task}:trigger", body).status

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(fire, range(20)))
    assert sorted(answers) == [202] * 5 + [400] * 15
    wait_until(lambda: statuses(api, task) == ["success"] * 5, "five runs", 60)
    executions = api.get(f"/workflows/{task}/executions")["data"]
    assert sorted(e["index"] for e in executions) == [0, 1, 2, 3, 4]


def test_one_idempotency_key_is_one_execution(api: ApiClient) -> None:
    task = api.create_task(one_node())["id"]
    body = {"triggerType": "manual"}

    def fire(_: int) -> str:
        answer = api.request(
            "POST", f"/workflows/{task}:trigger", body, headers={"Idempotency-Key": "order-7"}
        )
        assert answer.status in (200, 202), answer.body
        return str(answer.body["executionId"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fire, range(8)))) == 1
    assert count_of(api, task) == 1


def test_a_task_does_not_run_before_its_start(api: ApiClient) -> None:
    later = int(time.time() * 1000) + 3_600_000
    task = api.create_task(one_node(startAt=later))["id"]
    refused = api.request("POST", f"/workflows/{task}:trigger", {"triggerType": "manual"})
    assert (refused.status, refused.body["code"]) == (400, "TASK_NOT_STARTED")


def test_an_idle_task_expires_by_the_sweeper(api: ApiClient, stage: LocalStage) -> None:
    deployment = Deployment(stage)
    soon = int(time.time() * 1000) + 2 * 3_600_000
    task = api.create_task(one_node(expiredAt=soon))["id"]
    too_soon = one_node(expiredAt=int(time.time() * 1000) + 60_000)
    assert create(api, too_soon).status == 400
    key = {"owner": api.owner, "sk": f"task#{task}"}
    deployment.change("TableTasks", key, expiredAt=1_700_000_000_000)
    assert deployment.invoke("Sweeper", {})["expired"] >= 1
    expired = api.get(f"/workflows/{task}")
    assert expired["status"] == "completed"
    assert expired["completionReason"] == "TASK_COMPLETION_REASON_EXPIRED"


def test_ten_runs_in_a_row_that_can_not_begin_pause_the_task(
    api: ApiClient, stage: LocalStage
) -> None:
    # Given a task whose plan got lost
    cron = {"type": "cron", "config": {"schedules": ["0 0 1 1 *"]}}
    task = api.create_task(one_node(trigger=cron))["id"]
    deployment = Deployment(stage)
    key = {"owner": api.owner, "sk": f"plan#{task}#1"}
    client, table = stage.aws.client("dynamodb"), deployment.output("TableTasks")
    row = {name: {"S": value} for name, value in key.items()}
    kept = client.get_item(TableName=table, Key=row)["Item"]["plan"]
    deployment.change("TableTasks", key, plan="rubbish")
    # When it is fired ten times, one of them by somebody who waits
    first = api.trigger(task, blocking=True)["executionId"]
    for _ in range(9):
        api.trigger(task, blocking=False)
    # Then
    wait_until(lambda: api.get(f"/workflows/{task}")["status"] == "disabled", "the pause", 60)
    assert api.get(f"/workflows/{task}")["statusReason"].startswith("paused: 10 runs in a row")
    assert statuses(api, task) == ["failed"] * 10
    shown = api.execution(task, first)
    assert (shown["error"], shown["steps"][1:]) == ("the stored plan can't be read", [])
    wait_until(lambda: deployment.schedules(task) == [], "no schedule", 20)
    assert (
        api.request("POST", f"/workflows/{task}:trigger", {"triggerType": "manual"}).status == 400
    )
    # And once it is mended, it runs
    client.put_item(TableName=table, Item={**row, "plan": kept})
    resumed = api.post(f"/workflows/{task}:resume")
    assert (resumed["status"], "statusReason" in resumed) == ("enabled", False)
    again = api.trigger(task, blocking=False)["executionId"]
    assert api.finished(task, again)["status"] == "success"
