"""Messages that come twice, late, in another order, or in batches of which a part fails."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code, rest
from tests.e2e.engine import task_of
from tests.faults.control import Fault
from tests.faults.samples import BLOCK, EVENTS
from tests.faults.world import FINAL, FaultWorld

pytestmark = pytest.mark.deployed

Json = Any
_FIRINGS = 8


@pytest.fixture
def api(faulty: FaultWorld) -> ApiClient:
    return sign_in(faulty.anonymous)


def notices(api: ApiClient, task: str) -> list[Json]:
    """One for each of some blocks."""
    text = (EVENTS / "operator/notice_block.json").read_text()
    found = []
    for number in range(_FIRINGS):
        notice = json.loads(text)
        block = {"blockHash": f"0x{number:064x}"}
        notice["data"] |= {"taskId": task, "owner": api.owner, **block}
        notice["data"]["output"] |= {"blockNumber": number, **block}
        found.append(notice)
    return found


def watched_task(world: FaultWorld, api: ApiClient, key: str) -> str:
    """A task that counts at the outside server which block it ran for."""
    count = rest(
        "count", f"{world.http.url}/count/{key}-{{{{start.data.blockNumber}}}}", method="POST"
    )
    return str(api.create_task(task_of([count], [("t", "count")], BLOCK))["id"])


def settled(world: FaultWorld, task: str) -> list[dict[str, Json]]:
    """All executions of the firings, once they have their end."""

    def done() -> list[dict[str, Json]] | None:
        rows = world.executions(task)
        final = len(rows) == _FIRINGS and all(row["status"] in FINAL for row in rows)
        return rows if final and not world.left_in_queues() else None

    return wait_until(done, "every firing's end", 60, 0.2)


def assert_each_ran_once(world: FaultWorld, task: str, key: str) -> None:
    rows = settled(world, task)
    assert {row["status"] for row in rows} == {"success"}
    assert [int(row["index"]) for row in rows] == list(range(_FIRINGS))
    assert [world.http.count(f"{key}-{n}") for n in range(_FIRINGS)] == [1] * _FIRINGS


def test_doubled_notices_in_any_order_run_each_block_once(
    faulty: FaultWorld, api: ApiClient
) -> None:
    key = f"order-{api.owner}"
    task = watched_task(faulty, api, key)
    mixed = notices(api, task) * 3
    random.Random(6).shuffle(mixed)
    faulty.deployment.send("NoticeQueueUrl", *mixed)
    assert_each_ran_once(faulty, task, key)


@pytest.mark.parametrize("kind", ["unavailable", "timed out", "lost", "throttled"])
def test_of_a_batch_of_which_a_part_fails_that_part_comes_again(
    faulty: FaultWorld, api: ApiClient, kind: str
) -> None:
    """Each second write to the execution queue goes wrong."""
    key = f"part-{kind[:4]}-{api.owner}"
    task = watched_task(faulty, api, key)
    batch = [
        {"messageId": str(n), "body": json.dumps(body), "eventSource": "aws:sqs"}
        for n, body in enumerate(notices(api, task))
    ]
    with faulty.control.watching(task) as recorded:
        faulty.deployment.invoke("Trigger", {"Records": batch[:1]})
    [send] = [call for call in recorded.calls if call.service == "sqs"]
    faults = [Fault(send, nth, kind, times=4) for nth in (2, 8)]
    with faulty.control.watching(task, *faults):
        answer = faulty.deployment.invoke("Trigger", {"Records": batch})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        again = [record for record in batch if record["messageId"] in failed]
        assert faulty.deployment.invoke("Trigger", {"Records": again}) == {"batchItemFailures": []}
    assert len(failed) < len(batch)
    assert_each_ran_once(faulty, task, key)


def test_a_start_function_that_dies_in_the_middle_of_a_batch_starts_each_once(
    faulty: FaultWorld, api: ApiClient
) -> None:
    key = f"middle-{api.owner}"
    count = rest("count", f"{faulty.http.url}/count/{key}", method="POST")
    nodes = [count, code("after", "return 1")]
    task = api.create_task(task_of(nodes, [("t", "count"), ("count", "after")]))["id"]
    with faulty.control.watching(task) as recorded:
        runs = [api.trigger(task, blocking=False)["executionId"] for _ in range(_FIRINGS)]
        settled(faulty, task)
    [start] = [call for call in recorded.calls if call.operation == "StartExecution"]
    batch = [
        {
            "messageId": run,
            "body": json.dumps({"executionId": run, "taskId": task, "owner": api.owner}),
            "eventSource": "aws:sqs",
        }
        for run in runs
    ]
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
