"""Walks that were stopped, never began or lost their end: each execution gets its final status."""

from __future__ import annotations

import time
import uuid

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, loop, rest
from tests.e2e.engine import Deployment, one_node, task_of

pytestmark = pytest.mark.deployed

MINUTE = 60_000


def put_back(stage: LocalStage, task: str, execution: str, minutes: int) -> None:
    """Make a finished execution one that is open since so long: as if its end had been lost."""
    Deployment(stage).change(
        "TableExecutions",
        {"taskId": task, "id": execution},
        status="pending",
        openShard="open#0",
        startAt=int(time.time() * 1000) - minutes * MINUTE,
    )


def lose_step(stage: LocalStage, execution: str, node: str) -> None:
    """Take a step out of the record, as if its node had never run."""
    client, table = stage.aws.client("dynamodb"), Deployment(stage).output("TableSteps")
    rows = client.query(
        TableName=table,
        KeyConditionExpression="executionId = :id",
        ExpressionAttributeValues={":id": {"S": execution}},
    )["Items"]
    [sort_key] = [row["sk"] for row in rows if row["sk"]["S"].endswith(f"#{node}")]
    client.delete_item(TableName=table, Key={"executionId": {"S": execution}, "sk": sort_key})


def test_a_lost_execution_goes_on_after_its_last_stored_step(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    key = f"lost-{uuid.uuid4()}"
    nodes = [
        rest("pay", f"{http_server.url}/count/{key}", method="POST"),
        code("after", "return pay.data.count"),
    ]
    task = api.create_task(task_of(nodes, [("t", "pay"), ("pay", "after")]))["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    put_back(stage, task, execution, 6)
    lose_step(stage, execution, "after")
    assert api.execution(task, execution)["status"] == "pending"
    assert Deployment(stage).invoke("Sweeper", {})["revived"] >= 1
    shown = api.finished(task, execution)
    assert shown["status"] == "success", shown
    assert shown["steps"][2]["output"]["data"] == 1
    assert http_server.count(key) == 1
    assert shown["index"] == 0


def test_what_was_revived_often_enough_is_given_up(api: ApiClient, stage: LocalStage) -> None:
    task = api.create_task(one_node())["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    put_back(stage, task, execution, 180)
    assert Deployment(stage).invoke("Sweeper", {})["givenUp"] >= 1
    shown = api.execution(task, execution)
    assert shown["status"] == "error"
    assert shown["error"].startswith("VM execution error: ")
    assert [step["id"] for step in shown["steps"]] == ["t", "run"]


def test_an_open_execution_of_a_deleted_task_is_ended(api: ApiClient, stage: LocalStage) -> None:
    task = api.create_task(one_node())["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    api.request("DELETE", f"/workflows/{task}")
    put_back(stage, task, execution, 6)
    Deployment(stage).invoke("Sweeper", {})
    shown = api.execution(task, execution)
    assert shown["status"] == "error"
    assert "deleted" in shown["error"]


def test_a_young_open_execution_is_left_alone(api: ApiClient, stage: LocalStage) -> None:
    task = api.create_task(one_node())["id"]
    execution = api.trigger(task, blocking=True)["executionId"]
    put_back(stage, task, execution, 1)
    Deployment(stage).invoke("Sweeper", {})
    assert api.execution(task, execution)["status"] == "pending"


def test_a_walk_stopped_by_hand_ends_its_execution(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    key = f"stopped-{uuid.uuid4()}"
    each = loop("each", "{{items.data}}", rest("r", f"{http_server.url}/count/{key}?seconds=2"))
    nodes = [code("items", "return [1, 2]"), each, code("after", "return 1")]
    edges = [("t", "items"), ("items", "each"), ("each", "after")]
    task = api.create_task(task_of(nodes, edges))["id"]
    execution = api.trigger(task, blocking=False)["executionId"]
    wait_until(lambda: http_server.count(key) == 1, "the loop's first request", 30)
    machine = Deployment(stage).output("WalkStandardArn")
    walk = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    stage.aws.client("stepfunctions").stop_execution(executionArn=walk)
    shown = api.finished(task, execution)
    assert shown["status"] == "error"
    assert "stopped by hand" in shown["error"]
    # Starting it again by a message that comes late changes nothing any more.
    body = {"executionId": execution, "taskId": task, "owner": api.owner}
    Deployment(stage).send("ExecutionQueueUrl", body)
    Deployment(stage).invoke("Sweeper", {})
    assert api.execution(task, execution)["status"] == "error"
