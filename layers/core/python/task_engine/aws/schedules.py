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


@dataclass(frozen=True, slots=True)
class _Schedule:
    expression: str
    timezone: str
    input: dict[str, JsonValue]
    once: bool


class SchedulerSchedules:
    """Implements Schedules; a task's schedules are `<task id>-<n>` in the deployment's group."""

    def __init__(self, client: AwsClient, settings: Settings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    def arm(self, task: Task) -> None:
        """Create or replace each; what is left of an earlier, longer list is removed."""
        wanted = self._schedules(task)
        for number, schedule in enumerate(wanted):
            self._put(f"{task.id}-{number}", task, schedule)
        if wanted:
            self._remove_from(task, len(wanted))

    def disarm(self, task: Task) -> None:
        """Remove them all."""
        if task.definition.trigger.type in (TriggerType.CRON, TriggerType.FIXED_TIME):
            self._remove_from(task, 0)

    def _schedules(self, task: Task) -> list[_Schedule]:
        config = task.definition.trigger.config
        base: dict[str, JsonValue] = {
            "kind": "schedule",
            "taskId": task.id,
            "owner": task.owner,
            "type": task.definition.trigger.type.value,
            "scheduledTime": "<aws.scheduler.scheduled-time>",
        }
        if task.definition.trigger.type is TriggerType.CRON:
            # Only tasks with schedules pay for loading the cron rules.
            from task_engine.compiler.cron import to_scheduler_expressions  # noqa: PLC0415

            zone = str(config.get("timezone") or "UTC")
            return [
                _Schedule(expression, zone, base, once=False)
                for text in _list(config.get("schedules"))
                for expression in to_scheduler_expressions(str(text))
            ]
        if task.definition.trigger.type is TriggerType.FIXED_TIME:
            now = self._clock.now_ms()
            return [
                _Schedule(_at(epoch), "UTC", {**base, "epoch": epoch}, once=True)
                for epoch in _list(config.get("epochs"))
                if isinstance(epoch, int) and epoch > now
            ]
        return []

    def _put(self, name: str, task: Task, schedule: _Schedule) -> None:
        body = json.dumps(self._body(task, schedule)).encode()
        path = f"/schedules/{name}"
        try:
            self._client.rest("CreateSchedule", "POST", path, body)
        except AwsError as error:
            if error.name != "ConflictException":
                raise
            self._client.rest("UpdateSchedule", "PUT", path, body)

    def _body(self, task: Task, schedule: _Schedule) -> dict[str, Any]:
        name = self._settings.name
        body: dict[str, Any] = {
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
        }
        if schedule.once:
            body["ActionAfterCompletion"] = "DELETE"
            return body
        now = self._clock.now_ms()
        if task.start_at > now:
            body["StartDate"] = task.start_at / 1000
        if task.expired_at > now:
            body["EndDate"] = task.expired_at / 1000
        return body

    def _remove_from(self, task: Task, first: int) -> None:
        group = self._settings.name("SCHEDULE_GROUP")
        query = (("ScheduleGroup", group), ("NamePrefix", f"{task.id}-"), ("MaxResults", "100"))
        answer = json.loads(self._client.rest("ListSchedules", "GET", "/schedules", query=query))
        for found in answer.get("Schedules", []):
            name = str(found["Name"])
            number = name.rpartition("-")[2]
            if name.startswith(f"{task.id}-") and number.isdigit() and int(number) >= first:
                self._delete(name, group)

    def _delete(self, name: str, group: str) -> None:
        try:
            self._client.rest(
                "DeleteSchedule", "DELETE", f"/schedules/{name}", query=(("groupName", group),)
            )
        except AwsError as error:
            if error.name != "ResourceNotFoundException":
                raise


def _at(epoch_ms: int) -> str:
    moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return f"at({moment.strftime('%Y-%m-%dT%H:%M:%S')})"


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
