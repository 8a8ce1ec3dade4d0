"""What the Scheduler and operators send, made firings with the name of their occurrence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import InvalidRequest, NotFound, PreconditionFailed
from task_engine.model.json_value import JsonValue
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.services.firing import Firing
from task_engine.services.ports import Schedules, Tasks
from task_engine.services.triggers import TriggerService

log = logging.getLogger(__name__)

_OVER = frozenset({"TASK_ALREADY_COMPLETED", "TASK_FAILED", "TASK_EXHAUSTED", "TASK_EXPIRED"})
LastFire = Callable[[Task, int], int]


class TimedWaits(Protocol):
    """Waits that end by the clock."""

    def time_out(self, execution_id: str, node_id: str) -> None:
        """End a wait whose time is over."""


class Notices(Protocol):
    """Notices of operators."""

    def take(self, records: Sequence[Mapping[str, object]]) -> list[JsonValue]:
        """Answer a batch with the messages to deliver again."""


class TriggerEvents:
    """Answers the Scheduler's invocations and the notice queue's batches."""

    def __init__(self, scheduled: ScheduledFirings, waits: TimedWaits, notices: Notices) -> None:
        self._scheduled = scheduled
        self._waits = waits
        self._notices = notices

    def handle(self, event: Mapping[str, object]) -> dict[str, JsonValue]:
        """A batch answers with the messages to deliver again; a schedule raises what may pass, so
        that the Scheduler tries again, and swallows what never will."""
        records = event.get("Records")
        if isinstance(records, list):
            return {"batchItemFailures": self._notices.take(records)}
        if event.get("kind") == "wait":
            self._waits.time_out(str(event.get("executionId")), str(event.get("nodeId")))
            return {"batchItemFailures": []}
        try:
            self._scheduled.fire(event)
        except (InvalidRequest, NotFound) as error:
            log.warning("a schedule fired for nothing", extra={"code": error.stable_code})
        return {"batchItemFailures": []}


class ScheduledFirings:
    """Firings of cron and fixed-time tasks.

    `last_fire` gives the ms at or before a time when a cron task was due: the occurrence's name
    where the Scheduler did not say it.
    """

    def __init__(
        self,
        triggers: TriggerService,
        tasks: Tasks,
        schedules: Schedules,
        last_fire: LastFire,
        clock: Clock,
    ) -> None:
        self._triggers = triggers
        self._tasks = tasks
        self._schedules = schedules
        self._last_fire = last_fire
        self._clock = clock

    def fire(self, event: Mapping[str, object]) -> None:
        """Run the task once for the time that the schedule was due; raises as TriggerService."""
        owner, task_id = str(event.get("owner", "")), str(event.get("taskId", ""))
        task = self._tasks.get(owner, task_id)
        if task is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        kind = task.definition.trigger.type
        if event.get("type") != kind.value:
            raise InvalidRequest("the schedule is not of the task's kind")
        at = self._due(task, event)
        firing = Firing(type=kind, occurrence=f"at:{at}", at_ms=at)
        try:
            self._triggers.fire(owner, task_id, firing)
        except PreconditionFailed as error:
            if error.stable_code in _OVER:
                self._schedules.disarm(task)
            self._complete_after_last(task, at)
            raise
        # Not when storage failed: the Scheduler comes again, and the run must still be allowed.
        self._complete_after_last(task, at)

    def _due(self, task: Task, event: Mapping[str, object]) -> int:
        epoch = event.get("epoch")
        if task.definition.trigger.type is TriggerType.FIXED_TIME and isinstance(epoch, int):
            return epoch
        try:
            given = datetime.fromisoformat(str(event.get("scheduledTime", "")))
        except ValueError:
            # The Scheduler did not fill in its time: the last time that was due is meant.
            return self._last_fire(task, self._clock.now_ms())
        return int(given.timestamp()) * 1000

    def _complete_after_last(self, task: Task, at_ms: int) -> None:
        """A task whose last fixed time has fired will never run again."""
        if task.definition.trigger.type is not TriggerType.FIXED_TIME:
            return
        epochs = task.definition.trigger.config.get("epochs")
        times = [e for e in epochs if isinstance(e, int)] if isinstance(epochs, list) else []
        if not times or at_ms < max(times):
            return
        now = self._tasks.get(task.owner, task.id)
        if now is not None and now.status is TaskStatus.ENABLED:
            self._tasks.set_status(now, TaskStatus.COMPLETED, self._clock.now_ms())
