"""Doubled and garbage messages on the way from trigger to walk."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, rest
from tests.e2e.engine import Deployment, count_of, one_node, task_of

pytestmark = pytest.mark.deployed


@contextmanager
def quick_redelivery(stage: LocalStage, queue: str) -> Iterator[None]:
    """Messages that failed come again after a second instead of minutes."""
    sqs, url = stage.aws.client("sqs"), Deployment(stage).output(queue)
    name = "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: "1"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_a_doubled_start_message_runs_each_node_once(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    deployment = Deployment(stage)
    key = f"doubled-{uuid.uuid4()}"
    nodes = [
        rest("pay", f"{http_server.url}/count/{key}?seconds=0.5", method="POST"),
        code("after", "return pay.data.count"),
    ]
    task = api.create_task(task_of(nodes, [("t", "pay"), ("pay", "after")]))["id"]
    execution = api.trigger(task, blocking=False)["executionId"]
    message = {"executionId": execution, "taskId": task, "owner": api.owner}
    deployment.send("ExecutionQueueUrl", message, message, message)
    shown = api.finished(task, execution)
    assert shown["status"] == "success", shown
    # Long after its end it is still started no second time.
    late = {"messageId": "m1", "body": json.dumps(message), "eventSource": "aws:sqs"}
    assert deployment.invoke("StartExecution", {"Records": [late]}) == {"batchItemFailures": []}
    assert http_server.count(key) == 1
    assert [step["id"] for step in api.execution(task, execution)["steps"]] == ["t", "pay", "after"]
    assert count_of(api, task) == 1


def test_garbage_ends_among_the_dead_letters_and_blocks_nobody(
    api: ApiClient, stage: LocalStage
) -> None:
    deployment = Deployment(stage)
    garbage = [f"not JSON {uuid.uuid4()}", json.dumps({"about": str(uuid.uuid4())}), "[]"]
    task = api.create_task(one_node())["id"]
    with quick_redelivery(stage, "ExecutionQueueUrl"):
        deployment.send("ExecutionQueueUrl", *garbage)
        execution = api.trigger(task, blocking=False)["executionId"]
        assert api.finished(task, execution)["status"] == "success"
        letters = "DeadLettersExecutionsUrl"
        wait_until(
            lambda: set(garbage) <= set(deployment.messages(letters)), "the dead letters", 60
        )
