"""The whole of the local cloud ends and comes back with what it had stored: walks are gone, their
executions go on.

The emulator stores at an orderly end alone: what a SIGKILL leaves is an empty cloud, in which there
is nothing to go on with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.local import emulator
from infra_cdk.local.login import sign_in
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, rest
from tests.e2e.engine import task_of
from tests.faults.outcome import NOT_REPEATED
from tests.faults.world import FINAL, FaultWorld, fault_world

pytestmark = pytest.mark.deployed

Json = Any
APPROVAL = {
    "id": "approval",
    "name": "approval",
    "type": "await",
    "config": {"channel": "api", "prompt": "go?", "timeoutSeconds": 3600},
}


@pytest.fixture
def lasting(
    request: pytest.FixtureRequest, http_server: HttpServer, graphql_server: GraphqlServer
) -> Iterator[FaultWorld]:
    """A stage whose emulator stores its state at its end."""
    given = emulator._environment

    def storing(settings: LocalSettings, directory: Path, port: int) -> dict[str, str]:
        blobs = str(directory / "state" / "s3")
        more = {"PERSIST_STATE": "1", "S3_PERSIST": "1", "S3_DATA_DIR": blobs}
        return {**given(settings, directory, port), **more}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "_environment", storing)
        name, session = f"restart-{os.getpid()}", request.session
        with fault_world(name, http_server, graphql_server, lambda: session.testsfailed) as world:
            yield world


def restart(world: FaultWorld) -> None:
    """End the emulator and everything it runs, and start it again where it was."""
    stage = world.stage
    stage.record.processes["emulator"].stop(grace_seconds=20)
    port = int(stage.record.endpoint.rpartition(":")[2])
    started = emulator._start(LocalSettings.for_own_stage(), stage.directory, port)
    stage.record.processes["emulator"] = started.process
    stage.record.write(stage.directory)


def test_executions_survive_the_end_of_everything_that_runs(lasting: FaultWorld) -> None:
    api = sign_in(lasting.anonymous)
    keys = {method: f"{method}-{api.owner}" for method in ("GET", "POST")}
    tasks: dict[str, str] = {}
    for method, key in keys.items():
        ask = rest("ask", f"{lasting.http.url}/count/{key}?seconds=4", method=method)
        nodes = [code("first", "return 1"), ask, code("after", "return typeof ask")]
        edges = [("t", "first"), ("first", "ask"), ("ask", "after")]
        tasks[method] = api.create_task(task_of(nodes, edges))["id"]
    edges = [("t", "approval"), ("approval", "after")]
    waiting = api.create_task(task_of([APPROVAL, code("after", "return 1")], edges))["id"]
    for task in (*tasks.values(), waiting):
        api.trigger(task, blocking=False)
    wait_until(lambda: all(lasting.http.count(key) for key in keys.values()), "both requests", 30)
    wait_until(lambda: header(lasting, waiting)["status"] == "waiting", "the wait", 30)

    restart(lasting)

    for task in (*tasks.values(), waiting):
        lasting.age(header(lasting, task), 6)
    lasting.deployment.invoke("Sweeper", {})
    for task in tasks.values():
        wait_until(lambda task=task: header(lasting, task)["status"] in FINAL, "its end", 40)  # type: ignore[misc]
    execution = header(lasting, waiting)["id"]
    path, query = f"/executions/{execution}:signal", {"workflowId": waiting}
    # The walk that was revived opens the wait once more, with a token of its own.
    wait_until(lambda: walks(lasting, execution, "RUNNING"), "the walk goes on", 30)
    assert api.request("POST", path, {"decision": "approve"}, query=query).status == 200
    assert api.finished(waiting, execution)["status"] == "success"

    read, written = (shown(api, lasting, tasks[method]) for method in ("GET", "POST"))
    assert read["status"] == "success"
    assert written["status"] == "failed"
    assert NOT_REPEATED in written["steps"][2]["error"]
    assert lasting.http.count(keys["POST"]) == 1
    assert lasting.left_in_queues() == {}


def header(world: FaultWorld, task: str) -> dict[str, Json]:
    """The task's only execution."""
    rows = wait_until(lambda: world.executions(task) or None, "the execution", 10)
    return rows[0]


def shown(api: Any, world: FaultWorld, task: str) -> Json:
    """It, as the API shows it."""
    return api.execution(task, header(world, task)["id"])


def walks(world: FaultWorld, execution: str, status: str) -> bool:
    """Whether the revived walk of an execution stands in its waiting state."""
    client = world.stage.aws.client("stepfunctions")
    arn = world.deployment.output("WalkStandardArn").replace(":stateMachine:", ":execution:")
    try:
        found = client.describe_execution(executionArn=f"{arn}:{execution}-1")
    except client.exceptions.ExecutionDoesNotExist:
        return False
    return bool(found["status"] == status)
