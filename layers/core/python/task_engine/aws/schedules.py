"""Schedules of cron and fixed-time tasks.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from task_engine.aws.failures import AwsError
from task_engine.aws.wire import AwsClient
from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.model.json_value import JsonValue
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerType
from task_engine.model.wait import Wait


@dataclass(frozen=True, slots=True)
class _Schedule:
    number: int
    expression: str
    timezone: str
    input: dict[str, JsonValue]
    once_at: int = 0


class SchedulerSchedules:
    """Implements Schedules; a task's schedules are `<task id>-<n>` in the deployment's group."""

    def __init__(self, client: AwsClient, settings: Settings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    def arm(self, task: Task) -> None:
        """Create or replace each; fixed times that are over get none."""
        now = self._clock.now_ms()
        for schedule in _schedules(task):
            if not schedule.once_at or schedule.once_at > now:
                self._put(f"{task.id}-{schedule.number}", self._body(task, schedule))

    def arm_wait(self, wait: Wait) -> None:
        """Once, at the wait's end; the next whole second, so that its time is over by then."""
        ends = max(wait.timeout_at, self._clock.now_ms() + 1000) + 999
        given: dict[str, JsonValue] = {
            "kind": "wait",
            "taskId": wait.task_id,
            "executionId": wait.execution_id,
            "owner": wait.owner,
            "nodeId": wait.node_id,
            "ordinal": wait.ordinal,
        }
        body = self._target(_Schedule(0, _at(ends), "UTC", given, once_at=ends))
        self._put(f"{wait.execution_id}-wait-{wait.ordinal}", body)

    def disarm(self, task: Task) -> None:
        """Remove them all; a definition never changes, so it says which there may be."""
        for schedule in _schedules(task):
            self._delete(f"{task.id}-{schedule.number}")

    def _put(self, name: str, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        path = f"/schedules/{name}"
        try:
            self._client.rest("CreateSchedule", "POST", path, body)
        except AwsError as error:
            if error.name != "ConflictException":
                raise
            self._client.rest("UpdateSchedule", "PUT", path, body)

    def _body(self, task: Task, schedule: _Schedule) -> dict[str, Any]:
        body = self._target(schedule)
        now = self._clock.now_ms()
        if not schedule.once_at and task.start_at > now:
            body["StartDate"] = task.start_at / 1000
        if not schedule.once_at and task.expired_at > now:
            body["EndDate"] = task.expired_at / 1000
        return body

    def _target(self, schedule: _Schedule) -> dict[str, Any]:
        name = self._settings.name
        return {
            "ClientToken": uuid.uuid4().hex,
            "GroupName": name("SCHEDULE_GROUP"),
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "Arn": name("TRIGGER_FUNCTION_ARN"),
                "RoleArn": name("SCHEDULE_ROLE_ARN"),
                "Input": json.dumps(schedule.input),
                "DeadLetterConfig": {"Arn": name("SCHEDULE_DLQ_ARN")},
                # A firing that could not be delivered for a day is a firing of the past.
                "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
            },
            **({"ActionAfterCompletion": "DELETE"} if schedule.once_at else {}),
        }

    def _delete(self, name: str) -> None:
        group = (("groupName", self._settings.name("SCHEDULE_GROUP")),)
        try:
            self._client.rest("DeleteSchedule", "DELETE", f"/schedules/{name}", query=group)
        except AwsError as error:
            if error.name != "ResourceNotFoundException":
                raise


def schedule_names(task: Task, now_ms: int) -> set[str]:
    """Names of the schedules that an enabled task has at that time."""
    return {
        f"{task.id}-{schedule.number}"
        for schedule in _schedules(task)
        if not schedule.once_at or schedule.once_at > now_ms
    }


def _schedules(task: Task) -> list[_Schedule]:
    config = task.definition.trigger.config
    kind = task.definition.trigger.type
    base: dict[str, JsonValue] = {
        "kind": "schedule",
        "taskId": task.id,
        "owner": task.owner,
        "type": kind.value,
        "scheduledTime": "<aws.scheduler.scheduled-time>",
    }
    if kind is TriggerType.CRON:
        # Only tasks with schedules pay for loading the cron rules.
        from task_engine.compiler.cron import to_scheduler_expressions  # noqa: PLC0415

        zone = str(config.get("timezone") or "UTC")
        expressions = [
            expression
            for text in _list(config.get("schedules"))
            for expression in to_scheduler_expressions(str(text))
        ]
        return [_Schedule(n, expression, zone, base) for n, expression in enumerate(expressions)]
    if kind is TriggerType.FIXED_TIME:
        return [
            _Schedule(n, _at(epoch), "UTC", {**base, "epoch": epoch}, once_at=epoch)
            for n, epoch in enumerate(_list(config.get("epochs")))
            if isinstance(epoch, int)
        ]
    return []


def _at(epoch_ms: int) -> str:
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return f"at({moment.strftime('%Y-%m-%dT%H:%M:%S')})"


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
