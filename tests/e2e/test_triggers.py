"""Schedules start executions: once per occurrence."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from infra_cdk.local.client import ApiClient
from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.engine import Deployment, count_of, one_node, statuses

pytestmark = pytest.mark.deployed

EVENTS = Path(__file__).parents[2] / "events"
CRON = {"type": "cron", "config": {"schedules": ["0 5 * * *", "0 0 1 * 1"]}}


def test_schedules_live_and_die_with_their_task(api: ApiClient, stage: LocalStage) -> None:
    deployment = Deployment(stage)
    task = api.create_task(one_node(trigger=CRON))["id"]
    # Day and weekday are alternatives: that schedule is two of the Scheduler's.
    assert deployment.schedules(task) == [f"{task}-{n}" for n in range(3)]
    api.post(f"/workflows/{task}:pause")
    assert deployment.schedules(task) == []
    api.post(f"/workflows/{task}:resume")
    assert len(deployment.schedules(task)) == 3
    api.request("DELETE", f"/workflows/{task}")
    assert deployment.schedules(task) == []


def test_a_firing_delivered_twice_runs_once(api: ApiClient, stage: LocalStage) -> None:
    task = api.create_task(one_node("return start.data.timestampIso", trigger=CRON))["id"]
    event = {
        **json.loads((EVENTS / "trigger/schedule_cron.json").read_text()),
        "taskId": task,
        "owner": api.owner,
    }
    for _ in range(2):
        Deployment(stage).invoke("Trigger", event)
    wait_until(lambda: statuses(api, task) == ["success"], "one run", 30)
    execution = api.get(f"/workflows/{task}/executions")["data"][0]
    shown = api.execution(task, execution["id"])
    assert shown["steps"][1]["output"]["data"] == "2026-11-24T09:30:00Z"
    assert count_of(api, task) == 1


def test_a_fixed_time_fires_by_itself_and_completes_its_task(api: ApiClient) -> None:
    at = int(time.time() * 1000) + 2_000
    trigger = {"type": "fixedTime", "config": {"epochs": [at - 86_400_000, at]}}
    task = api.create_task(one_node("return start.data.timestamp", trigger=trigger))["id"]
    wait_until(lambda: statuses(api, task) == ["success"], "the fixed time's run", 40)
    execution = api.get(f"/workflows/{task}/executions")["data"][0]
    assert api.execution(task, execution["id"])["steps"][1]["output"]["data"] == at
    assert api.get(f"/workflows/{task}")["status"] == "completed"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [("0,1 * * * *", "60"), ("*/30 * * * * *", "five"), ("61 * * * *", ""), ("@every 1s", "")],
)
def test_schedules_that_cant_be_are_refused(api: ApiClient, schedule: str, text: str) -> None:
    config = {"type": "cron", "config": {"schedules": [schedule]}}
    if schedule == "0,1 * * * *":
        # The local stage's floor is a minute, which this just keeps.
        assert api.create_task(one_node(trigger=config))["status"] == "enabled"
        return
    body = {
        **one_node(trigger=config),
        "inputVariables": {"settings": {"runner": api.wallet}},
    }
    answer = api.request("POST", "/workflows", body)
    assert answer.status == 400
    assert text in str(answer.body["errors"])
