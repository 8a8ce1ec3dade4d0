"""Notices of operators, on the deployed stage: what is believed runs once, the rest nothing."""

from __future__ import annotations

import json
import uuid

import pytest
from task_engine.operator.findings import Kind, Occurrence

from infra_cdk.local.client import ApiClient
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.cases.case import code
from tests.e2e.engine import Deployment, count_of, one_node, statuses, task_of
from tests.e2e.faults.test_execution_queue import quick_redelivery
from tests.e2e.operators import CHAIN, FAR, TestOperator, block_task

pytestmark = pytest.mark.deployed


@pytest.fixture
def operator(api: ApiClient) -> TestOperator:
    registered = TestOperator(api)
    registered.register()
    return registered


def given_task(api: ApiClient, **more: object) -> str:
    source = "return start.data.blockNumber"
    task: str = api.create_task(one_node(source, trigger=block_task(), **more))["id"]
    return task


def test_a_registered_operator_is_listed(api: ApiClient, operator: TestOperator) -> None:
    rows = {row["address"]: row for row in api.get("/operators")["data"]}
    row = rows[str(operator.signer.address)]
    assert (row["supportedChainIds"], row["blocks"]) == ([CHAIN], {str(CHAIN): 1})


def test_checks_come_and_go_with_their_tasks(api: ApiClient, operator: TestOperator) -> None:
    task = given_task(api)
    first = operator.checks()[task]
    assert first.owner == api.owner
    api.post(f"/workflows/{task}:pause")
    assert task not in operator.checks()
    api.post(f"/workflows/{task}:resume")
    assert operator.checks()[task].version > first.version
    api.request("DELETE", f"/workflows/{task}")
    assert task not in operator.checks()


def test_doubled_notices_by_both_ways_run_once(
    api: ApiClient, stage: LocalStage, operator: TestOperator
) -> None:
    task = given_task(api)
    check = operator.checks()[task]
    first, second = operator.notice(check), operator.notice(check, 2 * FAR)
    Deployment(stage).send("NoticeQueueUrl", first, first, second)
    answer = operator.send("POST", "/operators/notices", {"notices": [second, first]})
    assert (answer.status, answer.body["accepted"]) == (202, 2)
    wait_until(lambda: statuses(api, task) == ["success"] * 2, "two runs", 30)
    shown = [
        api.execution(task, row["id"])["steps"][1]["output"]["data"]
        for row in api.get(f"/workflows/{task}/executions")["data"]
    ]
    assert sorted(shown) == [FAR, 2 * FAR]
    assert count_of(api, task) == 2


def test_what_can_not_be_believed_is_done_with_and_runs_nothing(
    api: ApiClient, stage: LocalStage, operator: TestOperator
) -> None:
    task, paused = given_task(api), given_task(api)
    check, of_paused = operator.checks()[task], operator.checks()[paused]
    api.post(f"/workflows/{paused}:pause")
    stranger = TestOperator(api)
    good = operator.notice(check)
    bodies = [
        "garbage",
        json.dumps({**good, "signature": "0x" + "11" * 65}),
        json.dumps({**good, "time": "2020-01-01T00:00:00.000Z"}),
        *(
            json.dumps(notice)
            for notice in (
                stranger.notice(check),
                operator.notice(check, FAR + 1),
                operator.notice(check, check_id="01k9zq2a1b3c5d7e9f1g3h5j7k"),
                operator.notice(check, owner="0x" + "99" * 20),
                operator.notice(check, version=check.version + 1),
                operator.notice(of_paused),
            )
        ),
    ]
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    answer = Deployment(stage).invoke("Trigger", {"Records": records})
    assert answer == {"batchItemFailures": []}
    assert (count_of(api, task), count_of(api, paused)) == (0, 0)
    [row] = [
        row
        for row in api.get("/operators")["data"]
        if row["address"] == str(operator.signer.address)
    ]
    assert row["rejectedCount"] == 4


def test_an_event_wakes_the_execution_that_waits_for_it_once(
    api: ApiClient, stage: LocalStage, operator: TestOperator
) -> None:
    # Given an execution that waits for an event of a contract that its trigger names
    contract = "0x" + uuid.uuid4().hex + "00" * 4
    event = {"chainId": CHAIN, "queries": [{"addresses": ["{{start.data.contract}}"]}]}
    waiting = {
        "id": "seen",
        "name": "seen",
        "type": "await",
        "config": {"chainEvent": event, "timeoutSeconds": 600},
    }
    after = code("after", "return seen.data.mark")
    task = api.create_task(task_of([waiting, after], [("t", "seen"), ("seen", "after")]))["id"]
    output = {"data": {"contract": contract}}
    execution = api.trigger(task, blocking=False, triggerOutput=output)["executionId"]
    name = f"wait:{execution}:seen"
    wait_until(lambda: name in operator.checks(), "the wait's check", 30)
    status = f"/executions/{execution}:getStatus"
    assert api.get(status, workflowId=task)["status"] == "waiting"
    # When its event is told of, twice, after another contract's
    check = operator.checks()[name]
    where = Occurrence(CHAIN, FAR, f"0x{FAR:064x}", "0x" + "7a" * 32, 1)
    happened = {"contractAddress": contract, "topics": [], "mark": "the event's"}
    other = {**happened, "contractAddress": "0x" + "22" * 20}
    notices = [
        operator.notice(check, kind=Kind.EVENT, occurrence=where, output=data)
        for data in (other, happened, happened)
    ]
    Deployment(stage).send("NoticeQueueUrl", *notices)
    # Then it goes on with that event's data, and nobody watches any more
    shown = api.finished(task, execution)
    assert shown["status"] == "success", shown
    assert shown["steps"][1]["output"]["data"] == happened
    assert shown["steps"][2]["output"]["data"] == "the event's"
    assert name not in operator.checks()


def test_a_poisoned_message_ends_among_the_dead_letters_and_blocks_no_other(
    api: ApiClient, stage: LocalStage, operator: TestOperator
) -> None:
    # Given a task whose row can't be read, and one that is fine
    deployment = Deployment(stage)
    poisoned, fine = given_task(api), given_task(api)
    checks = operator.checks()
    key = {"owner": api.owner, "sk": f"task#{poisoned}"}
    deployment.change("TableTasks", key, definition=f"rubbish {uuid.uuid4()}")
    bad, good = (json.dumps(operator.notice(checks[task])) for task in (poisoned, fine))
    # When both are told of
    with quick_redelivery(stage, "NoticeQueueUrl"):
        deployment.send("NoticeQueueUrl", bad, good)
        # Then the one runs, the other's message is kept for somebody to look at
        wait_until(lambda: statuses(api, fine) == ["success"], "the good notice's run", 30)
        wait_until(
            lambda: bad in deployment.messages("DeadLettersNoticesUrl"), "the dead letter", 60
        )
    assert count_of(api, fine) == 1
    # Nobody else on this stage shall stumble over the row
    item = {name: {"S": value} for name, value in key.items()}
    stage.aws.client("dynamodb").delete_item(TableName=deployment.output("TableTasks"), Key=item)
