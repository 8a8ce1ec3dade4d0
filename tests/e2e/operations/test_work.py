"""What the deployer does with dead letters, stuck executions and parts that do not agree."""

from __future__ import annotations

import json
import uuid

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.engine import Deployment, count_of, one_node
from tests.e2e.operations.conftest import Ops
from tests.e2e.operations.test_runbook import given_letter, stopped_run
from tests.e2e.test_await import CHAIN, EDGES, started, waiting

pytestmark = pytest.mark.deployed

HOURLY = {"type": "cron", "config": {"schedules": ["0 * * * *"], "timezone": "UTC"}}


def letters_of(ops: Ops, queue: str) -> set[str]:
    return {row["id"] for row in ops("dead-letters", queue).rows}


def test_dead_letters_are_listed_and_sent_again(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    # Given two runs whose start messages are among the dead letters
    runs = [stopped_run(api, stage) for _ in range(2)]
    ids = [
        given_letter(
            stage,
            "Executions",
            json.dumps({"executionId": run, "taskId": task, "owner": api.owner}),
        )
        for task, run in runs
    ]
    assert letters_of(ops, "Executions") >= set(ids), "and looking leaves them"
    # When one of them is sent again
    assert ops("redrive", "Executions", "--id", ids[0], "--dry-run").code == 0
    assert letters_of(ops, "Executions") >= set(ids)
    assert ops("redrive", "Executions", "--id", ids[0]).code == 0
    # Then it alone runs
    assert api.finished(*runs[0])["status"] == "success"
    assert letters_of(ops, "Executions") & set(ids) == {ids[1]}
    # And all of them together
    assert ops("redrive", "Executions", "--all").code == 0
    assert api.finished(*runs[1])["status"] == "success"
    assert not letters_of(ops, "Executions") & set(ids)
    assert ops("redrive", "Executions", "--id", ids[0]).code == 2


def test_a_firing_that_was_missed_is_given_to_the_trigger_once(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    task = api.create_task(one_node(trigger=HOURLY))["id"]
    firing = {"kind": "schedule", "taskId": task, "owner": api.owner, "type": "cron"}
    body = json.dumps({**firing, "scheduledTime": "2026-01-01T00:00:00Z"})
    for _ in range(2):
        letter = given_letter(stage, "MissedSchedules", body)
        assert ops("redrive", "MissedSchedules", "--id", letter).code == 0
    wait_until(lambda: count_of(api, task) == 1 or None, "the missed run", 30)
    # A letter that nobody takes stays until it is thrown away.
    strange = given_letter(stage, "FailedEvents", f"not JSON {uuid.uuid4()}")
    assert ops("redrive", "FailedEvents", "--id", strange).code == 2
    assert strange in letters_of(ops, "FailedEvents")
    assert ops("discard", "FailedEvents", "--id", strange).code == 0
    assert strange not in letters_of(ops, "FailedEvents")
    assert count_of(api, task) == 1


def test_stuck_ones_are_told_from_those_that_wait(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    stuck, patient = stopped_run(api, stage), started(api, CHAIN, EDGES)
    waiting(api, patient)
    listed = ops("stuck", "--minutes", "0")
    verdicts = {row["execution"]: row["verdict"] for row in listed.rows}
    assert (verdicts[stuck[1]], verdicts[patient[1]]) == ("stuck", "waits for a decision")
    assert listed.code == 1
    shown = ops("execution", *stuck).rows
    assert shown[0]["status"] == "pending"
    # One goes on, the other is ended by hand: its walk too.
    assert ops("resume", *stuck).code == 0
    assert api.finished(*stuck)["status"] == "success"
    assert ops("end", *patient, "--reason", "nobody will decide").rows[0]["status"] == "error"
    ended = api.execution(*patient)
    assert ended["status"] == "error"
    assert ended["error"].endswith("ended by hand: nobody will decide")
    machine = Deployment(stage).output("WalkStandardArn")
    walk = f"{machine.replace(':stateMachine:', ':execution:')}:{patient[1]}"
    states = stage.aws.client("stepfunctions")
    assert states.describe_execution(executionArn=walk)["status"] == "ABORTED"
    assert api.execution(*patient)["error"] == ended["error"], "the walk's end changes nothing"


def test_parts_that_do_not_agree_are_found_and_mended(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    # Given a count that is off, a task without its schedule, a schedule and a check without tasks
    deployment = Deployment(stage)
    task = api.create_task(one_node(trigger=HOURLY))["id"]
    gone = api.create_task(one_node())["id"]
    api.request("DELETE", f"/workflows/{gone}")
    deployment.change("TableTasks", {"owner": api.owner, "sk": "count"}, enabled=7)
    scheduler, group = stage.aws.client("scheduler"), deployment.output("ScheduleGroup")
    [schedule] = deployment.schedules(task)
    found = scheduler.get_schedule(GroupName=group, Name=schedule)
    scheduler.delete_schedule(GroupName=group, Name=schedule)
    scheduler.create_schedule(
        GroupName=group,
        Name=f"{gone}-0",
        **{
            name: found[name]
            for name in ("ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
        },
    )
    deployment.change(
        "TableOperators",
        {"group": "checks#11155111", "sk": gone},
        version=1,
        state="watched",
        owner=api.owner,
    )
    # When they are looked for
    ours = {
        ("count", api.owner),
        ("unarmed", task),
        ("orphan schedule", f"{gone}-0"),
        ("check without task", gone),
    }
    seen = ops("check")
    assert {(row["kind"], row["about"]) for row in seen.rows} >= ours
    assert seen.code == 1
    # Then each is mended, and stays so
    mended = ops("check", "--repair")
    assert mended.code == 0
    assert {(row["kind"], row["about"]) for row in mended.rows if row["mended"]} >= ours
    assert ops("check").rows == []
    assert deployment.schedules(task) == [schedule]
    assert deployment.schedules(gone) == []


def test_a_row_that_can_not_be_read_is_named_and_holds_up_nothing(
    api: ApiClient, stage: LocalStage, ops: Ops
) -> None:
    # Given two tasks, one of them unreadable, and the schedule of the other one lost
    deployment = Deployment(stage)
    bad, good = (api.create_task(one_node(trigger=HOURLY))["id"] for _ in range(2))
    key = {"owner": api.owner, "sk": f"task#{bad}"}
    client, table = stage.aws.client("dynamodb"), deployment.output("TableTasks")
    row = {name: {"S": value} for name, value in key.items()}
    kept = client.get_item(TableName=table, Key=row)["Item"]
    deployment.change("TableTasks", key, definition="rubbish")
    try:
        names, group = deployment.schedules(good), deployment.output("ScheduleGroup")
        for name in names:
            stage.aws.client("scheduler").delete_schedule(GroupName=group, Name=name)
        # When everything is looked at and mended
        mended = ops("check", "--repair")
        # Then the bad one is named, what hangs on it is left alone, and the rest is mended
        told = {row["about"]: (row["kind"], row["mended"]) for row in mended.rows}
        assert mended.code == 1
        assert told[bad] == ("unreadable task", False)
        assert told[good] == ("unarmed", True)
        assert api.owner not in told, "it is counted"
        assert deployment.schedules(good) == names
        assert len(deployment.schedules(bad)) == 1
        # And others can be armed, but not this one
        assert ops("rearm", good).code == 0
        assert ops("rearm").code == 0
        assert ops("rearm", bad).code == 2
    finally:
        client.put_item(TableName=table, Item=kept)
    assert bad not in {row["about"] for row in ops("check").rows}


def test_schedules_are_armed_again(api: ApiClient, stage: LocalStage, ops: Ops) -> None:
    deployment = Deployment(stage)
    task = api.create_task(one_node(trigger=HOURLY))["id"]
    names, group = deployment.schedules(task), deployment.output("ScheduleGroup")
    for _ in range(2):
        for name in names:
            stage.aws.client("scheduler").delete_schedule(GroupName=group, Name=name)
        assert ops("rearm", task).code == 0
        assert deployment.schedules(task) == names
    api.post(f"/workflows/{task}:pause")
    assert ops("rearm", task).code == 2
    assert deployment.schedules(task) == []
