"""What the Scheduler and operators send, made firings with the name of their occurrence."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import EngineError, InvalidRequest, NotFound, PreconditionFailed
from task_engine.model.json_value import JsonValue
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.services.firing import Firing
from task_engine.services.ports import Schedules, Tasks
from task_engine.services.triggers import TriggerService

log = logging.getLogger(__name__)

_HASH = re.compile(r"0x[0-9a-f]{64}")
_NOTICE_TYPES = {
    "task-engine.notice.block": TriggerType.BLOCK,
    "task-engine.notice.event": TriggerType.EVENT,
}
_OVER = frozenset({"TASK_ALREADY_COMPLETED", "TASK_FAILED", "TASK_EXHAUSTED", "TASK_EXPIRED"})
LastFire = Callable[[Task, int], int]


class TimedWaits(Protocol):
    """Waits that end by the clock."""

    def time_out(self, execution_id: str, node_id: str) -> None:
        """End a wait whose time is over."""


class TriggerEvents:
    """Answers the Scheduler's invocations and the notice queue's batches.

    `last_fire` gives the ms at or before a time when a cron task was due: the occurrence's name
    where the Scheduler did not say it.
    """

    def __init__(
        self,
        triggers: TriggerService,
        tasks: Tasks,
        schedules: Schedules,
        last_fire: LastFire,
        waits: TimedWaits,
        clock: Clock,
    ) -> None:
        self._triggers = triggers
        self._tasks = tasks
        self._schedules = schedules
        self._last_fire = last_fire
        self._waits = waits
        self._clock = clock

    def handle(self, event: Mapping[str, object]) -> dict[str, JsonValue]:
        """A batch answers with the messages to deliver again; a schedule raises what may pass, so
        that the Scheduler tries again, and swallows what never will."""
        records = event.get("Records")
        if isinstance(records, list):
            return {"batchItemFailures": [f for r in records for f in self._notice(r)]}
        if event.get("kind") == "wait":
            self._waits.time_out(str(event.get("executionId")), str(event.get("nodeId")))
            return {"batchItemFailures": []}
        try:
            self._scheduled(event)
        except (InvalidRequest, NotFound) as error:
            log.warning("a schedule fired for nothing", extra={"code": error.stable_code})
        return {"batchItemFailures": []}

    def _scheduled(self, event: Mapping[str, object]) -> None:
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

    def _notice(self, record: Mapping[str, object]) -> list[JsonValue]:
        """[] when the message is done with, otherwise its failure: it comes again, and ends in the
        dead-letter queue when it never succeeds."""
        try:
            self._fire_notice(str(record.get("body", "")))
        except (PreconditionFailed, NotFound) as error:
            # The task is paused, over or gone: the notice is answered, not wrong.
            log.info("a notice fired nothing", extra={"code": error.stable_code})
        except EngineError as error:
            log.warning("a notice was refused", extra={"code": error.stable_code})
            return [{"itemIdentifier": str(record.get("messageId", ""))}]
        return []

    def _fire_notice(self, body: str) -> None:
        try:
            notice = json.loads(body)
            kind = _NOTICE_TYPES[notice["type"]]
            data = notice["data"]
            owner, task_id = str(data["owner"]), str(data["taskId"])
            firing = Firing(type=kind, occurrence=_occurrence(kind, data), output=data["output"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidRequest("not a notice: see events/operator for its form") from error
        self._triggers.fire(owner, task_id, firing)


def _occurrence(kind: TriggerType, data: Mapping[str, object]) -> str:
    """chain:blockHash, for events with :transactionHash:logIndex; raises KeyError or ValueError."""
    parts = [str(int(str(data["chainId"]))), _hash(data["blockHash"])]
    if kind is TriggerType.EVENT:
        parts += [_hash(data["transactionHash"]), str(int(str(data["logIndex"])))]
    return ":".join(parts)


def _hash(value: object) -> str:
    text = str(value).lower()
    if not _HASH.fullmatch(text):
        raise ValueError("not a 32-byte hash")
    return text
