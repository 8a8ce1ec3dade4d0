"""What a believed notice does: it fires a task, wakes a wait, takes back, or switches off."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Protocol

from task_engine.clock import Clock
from task_engine.errors import Conflict
from task_engine.model.execution import Execution
from task_engine.model.json_value import JsonValue
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.observability import metric
from task_engine.operator.checks import Check, EventCheck, check_of
from task_engine.operator.findings import Finding, Kind
from task_engine.services.firing import Firing
from task_engine.services.notice_match import mismatch
from task_engine.services.notice_refusals import NoticeRefused
from task_engine.services.ports import Executions, Tasks
from task_engine.services.triggers import OCCURRENCE_TTL_SECONDS, TriggerService

log = logging.getLogger(__name__)

_OVERLOAD_NOTE = (
    "paused: {detected} events in block {blockNumber}, more than the {limit} that are allowed."
    " Narrow the trigger's addresses, topics or conditions, then resume"
)
_NUMBERS = ("detected", "blockNumber", "limit")


class TaskShelf:
    """The tasks of a batch, read at once and kept up to date by what the batch does."""

    def __init__(self, tasks: Tasks, names: set[tuple[str, str]]) -> None:
        self._tasks = tasks
        self._found = tasks.some(names)

    def get(self, owner: str, task_id: str) -> Task | None:
        """None when unknown; raises what reading it raises."""
        known = self._found.get((owner, task_id))
        return known if known is not None else self._tasks.get(owner, task_id)

    def put(self, task: Task) -> None:
        """What it is now."""
        self._found[task.owner, task.id] = task


class WaitWaker(Protocol):
    """Waits for events on chain."""

    def wake(self, finding: Finding) -> None:
        """End the wait that the finding's check is of; raises NoticeRefused."""


@dataclass(frozen=True, slots=True)
class ActPorts:
    """What acting on notices needs of the world."""

    triggers: TriggerService
    tasks: Tasks
    executions: Executions
    clock: Clock


class NoticeActs:
    """Acts of tasks' checks. Each may be repeated: the second time nothing happens."""

    def __init__(self, ports: ActPorts) -> None:
        self._ports = ports

    def check(self, task: Task | None, finding: Finding) -> Task:
        """The task that a finding is about; raises NoticeRefused unless it is one that it can be
        about now."""
        if task is None:
            text = "there is no such workflow"
            raise NoticeRefused("NOTICE_TASK_UNKNOWN", text, blamed=True)
        check = _check_of(task)
        if check is None:
            text = "nobody watches for this workflow"
            raise NoticeRefused("NOTICE_MISMATCH", text, blamed=True)
        problem = mismatch(check, finding)
        if problem:
            raise NoticeRefused("NOTICE_MISMATCH", f"it {problem}", blamed=True)
        if finding.kind is not Kind.ORPHANED:
            self._check_state(task, finding)
        return task

    def _check_state(self, task: Task, finding: Finding) -> None:
        if finding.version > task.check_version:
            text = "there is no such version of the check"
            raise NoticeRefused("NOTICE_WRONG_VERSION", text, blamed=True)
        if finding.version < task.check_version and task.watched:
            text = "the check has changed since"
            raise NoticeRefused("NOTICE_OLD_VERSION", text)

    def fire(
        self, task: Task, finding: Finding, said_at: int, *, again: bool
    ) -> tuple[Task, Execution | None]:
        """The task after it, and the execution to be queued. Raises PreconditionFailed when it
        can't run; `again`: the message has come before, so that nobody may have queued what was
        admitted then."""
        check = _check_of(task)
        cooldown = check.cooldown_seconds * 1000 if isinstance(check, EventCheck) else 0
        firing = Firing(
            type=TriggerType(finding.kind.value),
            occurrence=finding.occurrence.name,
            output=dict(finding.output),
            cooldown_ms=cooldown,
            said_at=said_at,
        )
        now = self._ports.clock.now_ms()
        admitted = self._ports.triggers.admit(task, firing)
        execution = admitted.execution
        if admitted.duplicate:
            if execution.start_at < said_at or 0 < execution.orphaned_at < said_at:
                # Long since fired, and told again: the chain may have come back to the block.
                self._ports.executions.unorphan(execution, firing.occurrence, said_at)
            return task, execution if again and not execution.status.final else None
        after = replace(task, execution_count=execution.index + 1, last_ran_at=now)
        return (replace(after, cooled_until=now + cooldown) if cooldown else after), execution

    def switch_off(self, task: Task, finding: Finding) -> Task:
        """A task that takes too much of a block is paused, and its owner told why."""
        if task.status is not TaskStatus.ENABLED:
            return task
        numbers = {name: _number(finding.output.get(name)) for name in _NUMBERS}
        note = _OVERLOAD_NOTE.format(**numbers)
        now = self._ports.clock.now_ms()
        try:
            paused = self._ports.tasks.set_status(task, TaskStatus.DISABLED, now, note=note)
        except Conflict as error:
            raise NoticeRefused("NOTICE_OLD_VERSION", "the workflow was changed") from error
        metric("TasksOverloaded")
        log.warning("a task was paused: overload", extra={"task_id": task.id, "owner": task.owner})
        return paused

    def take_back(self, task: Task, finding: Finding, said_at: int) -> None:
        """What was triggered by a block that has left the chain is marked."""
        marked = self._ports.executions.orphan(
            task.id, finding.occurrence.name, said_at, OCCURRENCE_TTL_SECONDS
        )
        if marked:
            metric("ExecutionsOrphaned")


def _number(value: JsonValue) -> str:
    return str(value) if type(value) is int else "?"


def _check_of(task: Task) -> Check | None:
    return check_of(task, version=task.check_version, since_ms=task.check_version)
