"""Processes die, messages are lost and doubled, walks are stopped: nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from task_engine.aws.dynamo import Dynamo
from task_engine.aws.execution_repository import ExecutionRepository
from task_engine.aws.packed import Packer
from task_engine.aws.plan_repository import PlanRepository
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.step_repository import StepRepository
from task_engine.aws.task_repository import TaskRepository
from task_engine.aws.vault import Vault
from task_engine.aws.wire import AwsClient
from task_engine.clock import SystemClock
from task_engine.config import Settings
from task_engine.errors import ConfigurationError
from task_engine.ids import new_id
from task_engine.model.execution import Execution, Outcome
from task_engine.model.trigger import TriggerRecord, TriggerType
from task_engine.run.node_runner import finished_step
from task_engine.run.ports import Run

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.settings import REGION
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, loop, rest
from tests.e2e.engine import Deployment, Json, task_of

pytestmark = pytest.mark.deployed

_TABLES = ("Tasks", "Executions", "Steps", "Secrets", "Guards", "TaskState", "Wallets")
_SIX_MINUTES = 360_000


@pytest.fixture
def key() -> str:
    """A counter of the HTTP server that no other test uses."""
    return uuid4().hex


class Backdoor:
    """The engine's own adapters, pointed at the stage: for what only a fault does."""

    def __init__(self, stage: LocalStage, patch: pytest.MonkeyPatch) -> None:
        patch.setenv("AWS_ENDPOINT_URL", stage.aws.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        self.deployment = Deployment(stage)
        names = {
            f"TABLE_{_upper(name)}": self.deployment.output(f"Table{name}") for name in _TABLES
        }
        settings = Settings.from_env({f"TASK_ENGINE_{k}": v for k, v in names.items()})
        dynamo, packer = Dynamo(AwsClient("dynamodb", REGION)), Packer(_no_blobs, 200_000)
        self.tasks = TaskRepository(dynamo, packer, settings)
        self.plans = PlanRepository(dynamo, packer, settings)
        self.executions = ExecutionRepository(dynamo, packer, settings)
        reader = SecretReader(Vault(AwsClient("kms", REGION), ""), {}, SystemClock())
        self.steps = StepRepository(dynamo, packer, reader, settings)

    def admitted(self, owner: str, task_id: str) -> Execution:
        """A recorded execution whose message never reached the queue."""
        task = self.tasks.get(owner, task_id)
        assert task is not None
        identity, now = new_id(), SystemClock().now_ms()
        record = TriggerRecord(TriggerType.MANUAL, {"n": 1})
        return self.executions.admit(task, f"lost:{identity}", identity, record, now, 600).execution

    def age(self, execution: Execution, ms: int) -> None:
        """Let it have started that much earlier."""
        self.deployment.change(
            "TableExecutions",
            {"taskId": execution.task_id, "id": execution.id},
            startAt=execution.start_at - ms,
        )


def _upper(name: str) -> str:
    return "".join(f"_{char}" if char.isupper() else char for char in name).upper().lstrip("_")


def _no_blobs() -> Any:
    raise ConfigurationError("nothing large is stored here")


def _workers(function: str) -> list[int]:
    """Process ids of the emulator's workers of a function."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "_worker.py" in command and function in command:
            found.append(int(path.parent.name))
    return found


def _kill(function: str) -> None:
    pids = _workers(function)
    assert pids, f"no worker of {function} runs"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def _slow(api: ApiClient, http: HttpServer, key: str, method: str) -> tuple[str, str]:
    """(task, execution) of a run whose request is being answered slowly."""
    node = rest("call", f"{http.url}/count/{key}?seconds=5", method=method)
    task = api.create_task(task_of([node], [("t", "call")]))["id"]
    execution = api.trigger(task, blocking=False)["executionId"]
    wait_until(lambda: http.count(key) == 1, "the request", 30)
    return task, execution


def test_a_get_whose_process_dies_is_repeated(
    api: ApiClient, stage: LocalStage, http_server: HttpServer, key: str
) -> None:
    ids = _slow(api, http_server, key, "GET")
    _kill(Deployment(stage).output("FunctionNodeRestApi"))
    execution = api.finished(*ids)
    assert execution["status"] == "success", execution
    assert len(execution["steps"]) == 2
    assert http_server.count(key) == 2


def test_a_post_whose_process_dies_is_not_sent_again(
    api: ApiClient, stage: LocalStage, http_server: HttpServer, key: str
) -> None:
    ids = _slow(api, http_server, key, "POST")
    _kill(Deployment(stage).output("FunctionNodeRestApi"))
    execution = api.finished(*ids)
    assert execution["status"] == "failed"
    assert "may have taken effect" in execution["steps"][1]["error"]
    assert http_server.count(key) == 1


def _standard_task(api: ApiClient, http: HttpServer, key: str) -> str:
    """A task of the Standard class: items one after another over the network."""
    runner = rest("r", f"{http.url}/count/{key}?seconds=2")
    nodes = [code("items", "return [1, 2, 3, 4]"), loop("each", "{{items.data}}", runner)]
    return str(api.create_task(task_of(nodes, [("t", "items"), ("items", "each")]))["id"])


def test_a_walk_that_is_stopped_by_hand_still_ends_its_execution(
    api: ApiClient, stage: LocalStage, http_server: HttpServer, key: str
) -> None:
    task = _standard_task(api, http_server, key)
    execution = api.trigger(task, blocking=False)["executionId"]
    wait_until(lambda: http_server.count(key) >= 1, "the first item", 30)
    machine = Deployment(stage).output("WalkStandardArn")
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    stage.aws.client("stepfunctions").stop_execution(executionArn=arn)
    ended = api.finished(task, execution)
    assert ended["status"] == "error"
    assert "stopped by hand" in ended["error"]


def test_an_execution_whose_message_was_lost_is_walked_by_the_sweeper(
    api: ApiClient, stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    backdoor = Backdoor(stage, monkeypatch)
    task = api.create_task(task_of([code("run", "return start.data.n")], [("t", "run")]))["id"]
    execution = backdoor.admitted(api.owner, task)
    assert api.execution(task, execution.id)["status"] == "pending"
    backdoor.age(execution, _SIX_MINUTES)
    assert backdoor.deployment.invoke("Sweeper", {})["revived"] >= 1
    ended = api.finished(task, execution.id)
    assert ended["status"] == "success"
    assert ended["steps"][1]["output"]["data"] == 1


def test_a_run_resumes_from_its_last_stored_step(
    api: ApiClient,
    stage: LocalStage,
    http_server: HttpServer,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    # Given an execution that was cut off after its first node was stored
    backdoor = Backdoor(stage, monkeypatch)
    nodes = [
        rest("pay", f"{http_server.url}/count/{key}", method="POST"),
        code("after", "return pay.data.count"),
    ]
    task = api.create_task(task_of(nodes, [("t", "pay"), ("pay", "after")]))["id"]
    execution = backdoor.admitted(api.owner, task)
    run = Run(execution.id, task, api.owner, 1, "a walk that died")
    node = backdoor.plans.plan(run).nodes["pay"]
    now = int(time.time() * 1000)
    backdoor.steps.store(run, finished_step(run, node, Outcome(data={"count": 77}), (now, now, 1)))
    # When it is walked again
    backdoor.age(execution, _SIX_MINUTES)
    backdoor.deployment.invoke("Sweeper", {})
    # Then the stored step counts, and its request is not sent
    ended = api.finished(task, execution.id)
    assert ended["status"] == "success", ended
    assert ended["steps"][2]["output"]["data"] == 77
    assert http_server.count(key) == 0


def test_what_can_never_be_walked_ends_as_an_error(
    api: ApiClient, stage: LocalStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    backdoor = Backdoor(stage, monkeypatch)
    task = api.create_task(task_of([code("run", "return 1")], [("t", "run")]))["id"]
    execution = backdoor.admitted(api.owner, task)
    backdoor.age(execution, 3_600_000)
    assert backdoor.deployment.invoke("Sweeper", {})["givenUp"] >= 1
    ended = api.finished(task, execution.id)
    assert ended["status"] == "error"
    assert "could not be brought to an end" in ended["error"]


def test_a_doubled_queue_message_runs_each_step_once(
    api: ApiClient,
    stage: LocalStage,
    http_server: HttpServer,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    backdoor = Backdoor(stage, monkeypatch)
    nodes = [rest("pay", f"{http_server.url}/count/{key}?seconds=1", method="POST")]
    task = api.create_task(task_of(nodes, [("t", "pay")]))["id"]
    execution = backdoor.admitted(api.owner, task)
    message = {"executionId": execution.id, "taskId": task, "owner": api.owner}
    backdoor.deployment.send("ExecutionQueueUrl", message, message, message)
    assert api.finished(task, execution.id)["status"] == "success"
    assert http_server.count(key) == 1


@pytest.mark.parametrize("body", ["garbage", "{}", '{"taskId": 1, "executionId": 2}'])
def test_garbage_in_the_execution_queue_is_left_for_the_dead_letters(
    stage: LocalStage, body: str
) -> None:
    event: Json = {"Records": [{"messageId": "m1", "body": body, "eventSource": "aws:sqs"}]}
    answer = Deployment(stage).invoke("StartExecution", event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
