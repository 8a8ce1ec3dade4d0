"""Wiring of the functions behind queues, schedules and the walker."""

from __future__ import annotations

from functools import cache

from task_engine.aws.check_repository import CheckRepository
from task_engine.aws.event_bus import EventBus
from task_engine.aws.vote_repository import VoteRepository
from task_engine.bootstrap import stores
from task_engine.bootstrap.core import client, clock, dynamo, settings
from task_engine.bootstrap.operators import operators, rules
from task_engine.model.task import Task
from task_engine.observability import configure_logging
from task_engine.run.fail_step import FailStep
from task_engine.run.finish import FinishExecution
from task_engine.services.finishing import FinishEvents
from task_engine.services.gate import Gate
from task_engine.services.notice_acts import ActPorts, NoticeActs
from task_engine.services.notices import NoticeIntake, NoticePorts
from task_engine.services.signals import SignalService
from task_engine.services.start import StartExecution
from task_engine.services.sweep import Sweeper, SweepPorts
from task_engine.services.trigger_events import ScheduledFirings, TriggerEvents
from task_engine.services.triggers import TriggerPorts, TriggerService
from task_engine.services.wait_events import WaitEvents

configure_logging("background")


@cache
def _finish() -> FinishExecution:
    return FinishExecution(
        stores.steps(),
        stores.plans(),
        stores.executions(),
        EventBus(client("events"), settings()),
        clock(),
    )


@cache
def _gate() -> Gate:
    return Gate(stores.tasks(), stores.plans(), _finish(), stores.schedules())


@cache
def fail_step() -> FailStep:
    """Behind the walker's Catch."""
    return FailStep(stores.steps(), stores.plans(), clock())


@cache
def finish_execution() -> FinishEvents:
    """Behind the walker's last state and the status-change rule."""
    return FinishEvents(_finish())


@cache
def start_execution() -> StartExecution:
    """Behind the execution queue."""
    return StartExecution(stores.executions(), stores.walker(), _gate())


@cache
def signals() -> SignalService:
    """Decisions on waits."""
    return SignalService(stores.waits(), stores.executions(), clock())


@cache
def trigger() -> TriggerEvents:
    """Behind the Scheduler and the notice queue."""
    ports = TriggerPorts(
        stores.tasks(), stores.executions(), stores.plans(), stores.queue(), stores.walker()
    )
    service = TriggerService(ports, settings(), clock())
    scheduled = ScheduledFirings(service, stores.tasks(), stores.schedules(), _last_fire, clock())
    return TriggerEvents(scheduled, signals(), _notices(service))


def _notices(service: TriggerService) -> NoticeIntake:
    ports = NoticePorts(
        operators=operators(),
        votes=VoteRepository(dynamo(), settings()),
        tasks=stores.tasks(),
        triggers=service,
        waits=WaitEvents(CheckRepository(dynamo(), settings(), clock()), signals()),
        clock=clock(),
    )
    acts = NoticeActs(ActPorts(service, stores.tasks(), stores.executions(), clock()))
    return NoticeIntake(ports, acts, rules())


@cache
def sweeper() -> Sweeper:
    """Behind its own schedule."""
    return Sweeper(
        SweepPorts(
            stores.tasks(),
            stores.executions(),
            _gate(),
            stores.schedules(),
            stores.walker(),
            _finish(),
            signals(),
            clock(),
        )
    )


def _last_fire(task: Task, now_ms: int) -> int:
    # Only where the Scheduler did not say when it was due are the cron rules loaded.
    from task_engine.compiler.cron import last_fire_at_or_before  # noqa: PLC0415

    config = task.definition.trigger.config
    zone = str(config.get("timezone") or "UTC")
    texts = config.get("schedules")
    times = [
        last_fire_at_or_before(str(text), zone, now_ms)
        for text in (texts if isinstance(texts, list) else [])
    ]
    return max((time for time in times if time is not None), default=now_ms)
