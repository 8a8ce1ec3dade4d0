"""What the Scheduler and operators send becomes one execution per occurrence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from task_engine.config import Settings
from task_engine.errors import Unavailable
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import Plan, RunClass
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerType
from task_engine.services.signals import SignalService
from task_engine.services.trigger_events import ScheduledFirings, TriggerEvents
from task_engine.services.triggers import TriggerPorts, TriggerService

from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.machines import FakeQueue, FakeSchedules, FakeWalker
from tests.fakes.stores import FakeExecutions, FakeTasks
from tests.fakes.waits import FakeWaits

EVENTS = Path(__file__).parents[3] / "events"
OWNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
TASK_ID = "01k9zq2a1b3c5d7e9f1g3h5j7k"


def payload(path: str) -> Any:
    """A payload of events/."""
    return json.loads((EVENTS / path).read_text())


class Inbox:
    """Implements Notices."""

    def __init__(self) -> None:
        self.taken: Sequence[Mapping[str, object]] = ()
        self.failures: list[JsonValue] = []

    def take(self, records: Sequence[Mapping[str, object]]) -> list[JsonValue]:
        self.taken = records
        return self.failures


@dataclass
class Desk:
    """The service with fakes around it."""

    clock: FakeClock = field(default_factory=FakeClock)
    tasks: FakeTasks = field(default_factory=FakeTasks)
    schedules: FakeSchedules = field(default_factory=FakeSchedules)
    queue: FakeQueue = field(default_factory=FakeQueue)
    last_fire: int = START_MS - 60_000

    def __post_init__(self) -> None:
        self.executions = FakeExecutions(self.tasks)
        ports = TriggerPorts(self.tasks, self.executions, self.tasks, self.queue, FakeWalker())
        service = TriggerService(ports, Settings.from_env({}), self.clock)
        scheduled = ScheduledFirings(
            service, self.tasks, self.schedules, lambda task, now: self.last_fire, self.clock
        )
        self.inbox = Inbox()
        signals = SignalService(FakeWaits(), self.executions, self.clock)
        self.events = TriggerEvents(scheduled, signals, self.inbox)

    def given(self, kind: TriggerType, config: dict[str, JsonValue], **changes: Any) -> Task:
        trigger = Trigger("t", "tick", kind, config)
        task = Task(
            id=TASK_ID, owner=OWNER, wallet="0xw", name="", status=TaskStatus.ENABLED,
            definition=Definition(trigger, (), (), {}), created_at=START_MS,
        )  # fmt: skip
        task = replace(task, **changes)
        self.tasks.create(task, Plan(trigger, {}, (), RunClass.EXPRESS, {}), 10)
        self.schedules.arm(task)
        return task

    def runs(self) -> int:
        return len(self.queue.sent)


def test_a_cron_firing_runs_once_however_often_it_is_delivered() -> None:
    desk = Desk()
    desk.given(TriggerType.CRON, {"schedules": ["*/30 * * * *"]})
    event = payload("trigger/schedule_cron.json")
    for _ in range(3):
        assert desk.events.handle(event) == {"batchItemFailures": []}
    assert len(set(desk.queue.sent)) == 1
    desk.events.handle({**event, "scheduledTime": "2026-11-24T10:00:00Z"})
    assert len(set(desk.queue.sent)) == 2


def test_a_firing_without_its_time_is_named_by_the_last_time_that_was_due() -> None:
    desk = Desk()
    desk.given(TriggerType.CRON, {"schedules": ["* * * * *"]})
    event = {
        **payload("trigger/schedule_cron.json"),
        "scheduledTime": "<aws.scheduler.scheduled-time>",
    }
    desk.events.handle(event)
    desk.events.handle(event)
    assert len(set(desk.queue.sent)) == 1
    (execution_id,) = set(desk.queue.sent)
    execution = desk.executions.get(TASK_ID, execution_id)
    assert execution is not None
    assert isinstance(execution.trigger.data, dict)
    assert execution.trigger.data["timestamp"] == desk.last_fire


def test_the_last_fixed_time_completes_the_task() -> None:
    desk = Desk()
    epoch = payload("trigger/schedule_fixed_time.json")["epoch"]
    task = desk.given(TriggerType.FIXED_TIME, {"epochs": [epoch - 60_000, epoch]})
    event = payload("trigger/schedule_fixed_time.json")
    desk.events.handle({**event, "epoch": epoch - 60_000})
    between = desk.tasks.get(OWNER, task.id)
    assert between is not None
    assert between.status is TaskStatus.ENABLED
    desk.events.handle(event)
    after = desk.tasks.get(OWNER, task.id)
    assert after is not None
    assert after.status is TaskStatus.COMPLETED
    assert desk.runs() == 2


def test_a_schedule_of_a_task_that_is_gone_or_over_fires_nothing() -> None:
    desk = Desk()
    event = payload("trigger/schedule_cron.json")
    assert desk.events.handle(event) == {"batchItemFailures": []}
    desk.given(TriggerType.CRON, {"schedules": ["0 * * * *"]}, max_execution=1, execution_count=1)
    assert desk.events.handle(event) == {"batchItemFailures": []}
    assert desk.runs() == 0
    assert TASK_ID not in desk.schedules.armed, "a schedule that will never fire again is removed"


def test_a_storage_fault_reaches_the_scheduler_so_that_it_tries_again() -> None:
    desk = Desk()
    desk.given(TriggerType.CRON, {"schedules": ["0 * * * *"]})
    desk.queue.broken = True
    with pytest.raises(Exception, match="queue is away"):
        desk.events.handle(payload("trigger/schedule_cron.json"))


def test_the_last_fixed_time_is_not_lost_when_storage_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a last fixed time whose firing can't be stored
    desk = Desk()
    event = payload("trigger/schedule_fixed_time.json")
    task = desk.given(TriggerType.FIXED_TIME, {"epochs": [event["epoch"]]})

    def away(*_: object) -> None:
        raise Unavailable("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(desk.executions, "admit", away)
        with pytest.raises(Unavailable):
            desk.events.handle(event)
    # When the Scheduler comes again
    desk.events.handle(event)
    # Then it runs, and completes the task
    after = desk.tasks.get(OWNER, task.id)
    assert after is not None
    assert (desk.runs(), after.status) == (1, TaskStatus.COMPLETED)


def test_batches_are_notices_and_their_failures_come_again() -> None:
    desk = Desk()
    batch = payload("trigger/notices.json")
    failed: list[JsonValue] = [{"itemIdentifier": "m"}]
    desk.inbox.failures = failed
    assert desk.events.handle(batch) == {"batchItemFailures": failed}
    assert desk.inbox.taken == batch["Records"]
