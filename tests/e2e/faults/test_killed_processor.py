"""A processor's process dies while it waits for somebody else's answer."""

from __future__ import annotations

import uuid

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, loop, rest
from tests.e2e.engine import Json, task_of
from tests.e2e.faults.workers import kill_workers

pytestmark = pytest.mark.deployed


def killed_while_it_asks(
    api: ApiClient, stage: LocalStage, server: HttpServer, method: str
) -> tuple[Json, int]:
    """The execution, and how often the server was asked."""
    key = f"killed-{uuid.uuid4()}"
    ask = rest("ask", f"{server.url}/count/{key}?seconds=2", method=method)
    nodes = [ask, code("after", "return typeof ask")]
    task = api.create_task(task_of(nodes, [("t", "ask"), ("ask", "after")]))["id"]
    execution = api.trigger(task, blocking=False)["executionId"]
    wait_until(lambda: server.count(key) == 1, "the request's arrival", 30)
    assert kill_workers(stage, "node-rest-api") >= 1
    return api.finished(task, execution), server.count(key)


def test_a_read_is_done_again_and_stands_once_in_the_record(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    execution, asked = killed_while_it_asks(api, stage, http_server, "GET")
    assert execution["status"] == "success", execution
    assert asked == 2
    assert [step["id"] for step in execution["steps"]] == ["t", "ask", "after"]
    assert execution["steps"][1]["output"]["data"]["data"]["count"] == 2


def test_a_write_is_never_sent_twice(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    execution, asked = killed_while_it_asks(api, stage, http_server, "POST")
    assert execution["status"] == "failed", execution
    assert asked == 1
    assert [step["id"] for step in execution["steps"]] == ["t", "ask", "after"]
    assert "may have taken effect" in execution["steps"][1]["error"]


def test_a_loop_of_writes_sends_none_of_them_twice(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    key = f"killed-{uuid.uuid4()}"
    write = rest("w", f"{http_server.url}/count/{key}-{{{{value}}}}?seconds=2", method="POST")
    nodes = [
        code("items", "return [0, 1, 2]"),
        loop("each", "{{items.data}}", write, executionMode="parallel"),
    ]
    task = api.create_task(task_of(nodes, [("t", "items"), ("items", "each")]))["id"]
    execution = api.trigger(task, blocking=False)["executionId"]
    wait_until(
        lambda: all(http_server.count(f"{key}-{n}") for n in range(3)), "the requests' arrival", 30
    )
    assert kill_workers(stage, "node-loop") >= 1
    shown = api.finished(task, execution)
    assert [http_server.count(f"{key}-{n}") for n in range(3)] == [1, 1, 1]
    assert shown["status"] == "failed", shown
