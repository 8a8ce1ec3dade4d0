"""Messages that come twice, late, in another order, or in batches of which a part fails."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, rest
from tests.e2e.engine import task_of
from tests.faults.control import Fault
from tests.faults.samples import CRON, EVENTS
from tests.faults.world import FINAL, FaultWorld

pytestmark = pytest.mark.deployed

Json = Any
_FIRINGS = 8


@pytest.fixture
def api(faulty: FaultWorld) -> ApiClient:
    return sign_in(faulty.anonymous)


def settled(world: FaultWorld, task: str) -> list[dict[str, Json]]:
    """All executions of the firings, once they have their end."""

    def done() -> list[dict[str, Json]] | None:
        rows = world.executions(task)
        final = len(rows) == _FIRINGS and all(row["status"] in FINAL for row in rows)
        return rows if final and not world.left_in_queues() else None

    return wait_until(done, "every firing's end", 150, 0.2)


def assert_each_ran_once(world: FaultWorld, task: str, keys: Sequence[str]) -> None:
    rows = settled(world, task)
    assert {row["status"] for row in rows} == {"success"}
    assert [int(row["index"]) for row in rows] == list(range(_FIRINGS))
    assert [world.http.count(key) for key in keys] == [1] * _FIRINGS


def test_doubled_firings_in_any_order_run_each_time_once(
    faulty: FaultWorld, api: ApiClient
) -> None:
    url = f"{faulty.http.url}/count/{api.owner}-{{{{start.data.timestamp}}}}"
    nodes = [rest("count", url, method="POST")]
    task = api.create_task(task_of(nodes, [("t", "count")], CRON))["id"]
    event = json.loads((EVENTS / "trigger/schedule_cron.json").read_text())
    event |= {"taskId": task, "owner": api.owner}
    firings = [{**event, "scheduledTime": f"2026-11-24T09:3{n}:00Z"} for n in range(_FIRINGS)]
    mixed = firings * 3
    random.Random(6).shuffle(mixed)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda firing: faulty.deployment.invoke("Trigger", firing), mixed))
    at = [datetime.fromisoformat(f["scheduledTime"]).timestamp() * 1000 for f in firings]
    assert_each_ran_once(faulty, task, [f"{api.owner}-{int(ms)}" for ms in at])


@pytest.mark.parametrize("kind", ["unavailable", "timed out", "lost", "throttled"])
def test_of_a_batch_of_which_a_part_fails_that_part_comes_again(
    faulty: FaultWorld, api: ApiClient, kind: str
) -> None:
    """Two of the walks can't be started at first."""
    nodes = [rest("count", f"{faulty.http.url}/count/{kind[:4]}-{api.owner}", method="POST")]
    task = api.create_task(task_of(nodes, [("t", "count")]))["id"]
    with faulty.control.watching(task) as recorded:
        api.trigger(task, blocking=False)
        wait_until(lambda: faulty.executions(task)[0]["status"] in FINAL, "the first", 30)
    [start] = [call for call in recorded.calls if call.operation == "StartExecution"]
    send = next(call for call in recorded.calls if call.service == "sqs")
    # What the queue did not get is handed over as one batch.
    with faulty.control.watching(task, Fault(send, 0, "unavailable")):
        for _ in range(_FIRINGS - 1):
            body = {"triggerType": "manual", "isBlocking": False}
            assert api.request("POST", f"/workflows/{task}:trigger", body).status == 503
    batch = [
        record_of(api, task, row["id"])
        for row in faulty.executions(task)
        if row["status"] not in FINAL
    ]
    faults = [Fault(start, nth, kind, times=4) for nth in (2, 8)]
    with faulty.control.watching(task, *faults):
        answer = faulty.deployment.invoke("StartExecution", {"Records": batch})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        again = [record for record in batch if record["messageId"] in failed]
        answer = faulty.deployment.invoke("StartExecution", {"Records": again})
    assert answer == {"batchItemFailures": []}
    assert len(failed) == 2
    assert {row["status"] for row in settled(faulty, task)} == {"success"}
    assert faulty.http.count(f"{kind[:4]}-{api.owner}") == _FIRINGS


def record_of(api: ApiClient, task: str, execution: str) -> dict[str, str]:
    """A message of the execution queue, as SQS hands it over."""
    body = {"executionId": execution, "taskId": task, "owner": api.owner}
    return {"messageId": execution, "body": json.dumps(body), "eventSource": "aws:sqs"}


def test_messages_that_come_long_after_the_end_start_nothing(
    faulty: FaultWorld, api: ApiClient
) -> None:
    key = f"late-{api.owner}"
    count = rest("count", f"{faulty.http.url}/count/{key}", method="POST")
    nodes = [count, code("after", "return 1")]
    task = api.create_task(task_of(nodes, [("t", "count"), ("count", "after")]))["id"]
    with faulty.control.watching(task) as recorded:
        runs = [api.trigger(task, blocking=False)["executionId"] for _ in range(_FIRINGS)]
        settled(faulty, task)
    [start] = [call for call in recorded.calls if call.operation == "StartExecution"]
    batch = [record_of(api, task, run) for run in runs]
    # All of them come once more, long after their end: none is started again.
    with faulty.control.watching(task) as late:
        assert faulty.deployment.invoke("StartExecution", {"Records": batch}) == {
            "batchItemFailures": []
        }
    assert late.calls[start] == 0
    assert faulty.http.count(key) == _FIRINGS


def test_an_execution_queue_that_is_full_loses_no_run(faulty: FaultWorld, api: ApiClient) -> None:
    """SQS answers OverLimit, or any other refusal, for as long as the trigger tries."""
    key = f"full-{api.owner}"
    count = rest("count", f"{faulty.http.url}/count/{key}", method="POST")
    task = api.create_task(task_of([count], [("t", "count")]))["id"]
    with faulty.control.watching(task) as recorded:
        api.trigger(task, blocking=False)
    [send] = [call for call in recorded.calls if call.service == "sqs"]
    with faulty.control.watching(task, Fault(send, 0, "unavailable")):
        body = {"triggerType": "manual", "isBlocking": False}
        answer = api.request("POST", f"/workflows/{task}:trigger", body)
    assert answer.status == 503
    rows = faulty.executions(task)
    assert len(rows) == 2
    # It was admitted and answered with an error; the sweeper walks what no queue got.
    for row in rows:
        if row["status"] not in FINAL:
            faulty.age(row, 6)
    faulty.deployment.invoke("Sweeper", {})
    wait_until(
        lambda: {row["status"] for row in faulty.executions(task)} == {"success"}, "both ends", 30
    )
    assert faulty.http.count(key) == 2
