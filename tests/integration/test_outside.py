"""What leaves the engine: the execution queue, schedules, announcements, MACs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from task_engine.aws.event_bus import EventBus
from task_engine.aws.queue import SqsExecutionQueue
from task_engine.aws.schedules import SchedulerSchedules
from task_engine.aws.token_signer import KmsTokenSigner
from task_engine.config import Settings
from task_engine.model.execution import ExecutionStatus
from task_engine.model.json_value import JsonValue
from task_engine.model.task import Task
from task_engine.model.trigger import Trigger, TriggerType

from tests.fakes.clock import START_MS
from tests.integration.world import World, a_task

DAY_MS = 86_400_000


def scheduled(kind: TriggerType, **config: JsonValue) -> Task:
    task = a_task()
    trigger = Trigger("t", "start", kind, config)
    return replace(task, definition=replace(task.definition, trigger=trigger))


def schedules_of(world: World, task: Task) -> dict[str, dict[str, Any]]:
    scheduler = world.boto.client("scheduler")
    pages = scheduler.get_paginator("list_schedules").paginate(GroupName="tasks")
    names = [s["Name"] for page in pages for s in page["Schedules"] if task.id in s["Name"]]
    found = {name: scheduler.get_schedule(GroupName="tasks", Name=name) for name in names}
    return {name.removeprefix(f"{task.id}-"): schedule for name, schedule in found.items()}


@pytest.fixture
def schedules(world: World) -> SchedulerSchedules:
    return SchedulerSchedules(world.client("scheduler"), world.settings, world.clock)


def test_an_execution_is_queued_under_its_owner(world: World) -> None:
    execution = world.given_execution(world.given_task())
    SqsExecutionQueue(world.client("sqs"), world.settings).enqueue(execution)
    sqs, url = world.boto.client("sqs"), world.settings.name("EXECUTION_QUEUE_URL")
    (message,) = sqs.receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"], WaitTimeSeconds=5
    )["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert json.loads(message["Body"]) == {
        "executionId": execution.id,
        "taskId": execution.task_id,
        "owner": execution.owner,
    }
    assert message["Attributes"]["MessageGroupId"] == execution.owner


def test_a_cron_task_has_a_schedule_for_each_expression(
    world: World, schedules: SchedulerSchedules
) -> None:
    task = scheduled(
        TriggerType.CRON, schedules=["0 9 * * *", "30 18 * * 1-5"], timezone="Europe/Berlin"
    )
    schedules.arm(replace(task, expired_at=START_MS + DAY_MS))
    made = schedules_of(world, task)
    assert sorted(made) == ["0", "1"]
    first = made["0"]
    assert first["ScheduleExpression"].startswith("cron(0 9 ")
    assert first["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert first["FlexibleTimeWindow"] == {"Mode": "OFF"}
    target = first["Target"]
    assert target["Arn"] == world.settings.name("TRIGGER_FUNCTION_ARN")
    assert target["RoleArn"] == world.settings.name("SCHEDULE_ROLE_ARN")
    assert target["DeadLetterConfig"] == {"Arn": world.settings.name("SCHEDULE_DLQ_ARN")}
    assert json.loads(target["Input"]) == {
        "kind": "schedule",
        "taskId": task.id,
        "owner": task.owner,
        "type": "cron",
        "scheduledTime": "<aws.scheduler.scheduled-time>",
    }


def test_fixed_times_are_utc_fire_once_and_past_ones_are_left_out(
    world: World, schedules: SchedulerSchedules
) -> None:
    task = scheduled(TriggerType.FIXED_TIME, epochs=[START_MS - 1, START_MS + DAY_MS])
    schedules.arm(task)
    ((number, made),) = schedules_of(world, task).items()
    assert number == "1"
    assert made["ScheduleExpression"] == "at(2026-01-02T00:00:00)"
    assert made["ActionAfterCompletion"] == "DELETE"
    assert json.loads(made["Target"]["Input"])["epoch"] == START_MS + DAY_MS


def test_arming_again_changes_nothing_and_disarming_removes_all(
    world: World, schedules: SchedulerSchedules
) -> None:
    task = scheduled(TriggerType.CRON, schedules=["0 9 * * *", "@every 10m"])
    other = scheduled(TriggerType.CRON, schedules=["0 9 * * *"])
    schedules.arm(other)
    schedules.arm(task)
    schedules.arm(task)
    assert len(schedules_of(world, task)) == 2
    schedules.disarm(task)
    schedules.disarm(task)
    assert schedules_of(world, task) == {}
    assert len(schedules_of(world, other)) == 1


def test_other_tasks_need_no_schedule(world: World, schedules: SchedulerSchedules) -> None:
    task = a_task()
    schedules.arm(task)
    schedules.disarm(task)
    assert world.operations() == []


def test_the_end_of_an_execution_is_announced_on_the_bus(world: World) -> None:
    events, sqs = world.boto.client("events"), world.boto.client("sqs")
    url = sqs.create_queue(QueueName="announced")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="announced", EventPattern=json.dumps({"source": ["task-engine"]}))
    events.put_targets(Rule="announced", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])
    execution = world.given_execution(world.given_task(), {"secret": "data"})
    done = replace(execution, status=ExecutionStatus.SUCCESS, end_at=START_MS + 5)
    EventBus(world.client("events"), world.settings).execution_finished(done)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail-type"] == "Execution Finished"
    assert event["detail"] == {
        "executionId": done.id,
        "taskId": done.task_id,
        "owner": done.owner,
        "status": "success",
        "index": 0,
        "startAt": START_MS,
        "endAt": START_MS + 5,
    }


def test_a_bus_that_is_away_fails_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    client = world.client("sqs")  # knows no such operation: refused by the endpoint
    execution = world.given_execution(world.given_task())
    EventBus(client, world.settings).execution_finished(execution)
    assert "not announced" in caplog.text


def test_a_mac_verifies_for_its_message_alone(world: World) -> None:
    signer = KmsTokenSigner(world.client("kms"), world.settings)
    mac = signer.sign(b"header.claims")
    assert len(mac) == 32
    assert signer.verify(b"header.claims", mac)
    assert not signer.verify(b"header.other", mac)
    assert not signer.verify(b"header.claims", bytes(32))


def test_a_key_that_is_not_there_is_no_verdict(world: World) -> None:
    names = {**world.settings.names, "TOKEN_KEY": "00000000-0000-0000-0000-000000000000"}
    settings: Settings = replace(world.settings, names=names)
    with pytest.raises(Exception, match="VerifyMac was refused: NotFoundException"):
        KmsTokenSigner(world.client("kms"), settings).verify(b"x", bytes(32))
