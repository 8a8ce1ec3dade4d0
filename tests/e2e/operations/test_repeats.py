"""Runs that stopped go on; runs that ended are run once more."""

from __future__ import annotations

import uuid

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, rest
from tests.e2e.engine import Deployment, count_of, task_of
from tests.e2e.test_await import CHAIN, EDGES, signal, started, waiting

pytestmark = pytest.mark.deployed


def stop_walk(stage: LocalStage, execution: str) -> None:
    """Stop a Standard walk by hand."""
    machine = Deployment(stage).output("WalkStandardArn")
    walk = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    stage.aws.client("stepfunctions").stop_execution(executionArn=walk)


def resume(api: ApiClient, ids: tuple[str, str]) -> int:
    path = f"/executions/{ids[1]}:resume"
    return api.request("POST", path, query={"workflowId": ids[0]}).status


def test_a_run_that_was_stopped_goes_on_after_its_stored_steps(
    api: ApiClient, stage: LocalStage, http_server: HttpServer
) -> None:
    # Given a run that has paid, and waits for a person when its walk is stopped by hand
    key = f"resumed-{uuid.uuid4()}"
    pay = rest("pay", f"{http_server.url}/count/{key}", method="POST")
    ids = started(api, [pay, *CHAIN[:1], code("end", "return pay.data.count")],
                  [("t", "pay"), ("pay", "ask"), ("ask", "end")])  # fmt: skip
    waiting(api, ids)
    stop_walk(stage, ids[1])
    assert api.finished(*ids)["status"] == "error"
    # When its owner resumes it, and then decides
    assert resume(api, ids) == 200
    waiting(api, ids)
    assert resume(api, ids) == 200, "it is walked: nothing to do"
    wait_until(lambda: signal(api, ids, "approve") == 200, "the decision", 30)
    shown = api.finished(*ids)
    # Then it comes to its end as the same run, and has paid once
    assert shown["status"] == "success", shown
    assert [step["id"] for step in shown["steps"]] == ["t", "pay", "ask", "end"]
    assert http_server.count(key) == 1
    assert (shown["index"], count_of(api, ids[0])) == (0, 1)
    assert resume(api, ids) == 409


def test_it_can_be_stopped_and_resumed_again(api: ApiClient, stage: LocalStage) -> None:
    ids = started(api, CHAIN, EDGES)
    waiting(api, ids)
    for walk in (ids[1], f"{ids[1]}-r1"):
        stop_walk(stage, walk)
        assert api.finished(*ids)["status"] == "error"
        assert resume(api, ids) == 200
        waiting(api, ids)
    assert signal(api, ids, "approve", {"amount": 2}) == 200
    assert api.finished(*ids)["status"] == "success"


def test_a_run_is_run_once_more(api: ApiClient) -> None:
    nodes = [code("sum", "return start.data.n + extra")]
    task = api.create_task(task_of(nodes, [("t", "sum")]))["id"]
    given = {"triggerOutput": {"data": {"n": 40}}, "triggerInput": {"extra": 2}}
    first = api.trigger(task, blocking=True, **given)["executionId"]
    again = api.post(f"/executions/{first}:rerun?workflowId={task}")["executionId"]
    shown = api.finished(task, again)
    assert shown["steps"][1]["output"]["data"] == 42
    assert (shown["index"], count_of(api, task)) == (1, 2)
