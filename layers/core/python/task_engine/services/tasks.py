"""Tasks: create, read, pause, resume, delete."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import (
    Conflict,
    Corrupted,
    EngineError,
    InvalidRequest,
    NotFound,
    Problem,
)
from task_engine.ids import is_id
from task_engine.model.json_value import JsonObject
from task_engine.model.paging import Page, PageRequest
from task_engine.model.task import Task, TaskStatus
from task_engine.services.coverage import Coverage
from task_engine.services.ports import Schedules, TaskFilter, Tasks
from task_engine.services.wallets import WalletService

log = logging.getLogger(__name__)

_FINAL = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED})
_LIVE = frozenset({TaskStatus.ENABLED, TaskStatus.DISABLED})


@dataclass(frozen=True, slots=True)
class Starts:
    """What makes tasks start by themselves: schedules, and operators on chains."""

    schedules: Schedules
    coverage: Coverage


class TaskService:
    """Use cases of tasks; each is keyed by the owner, another's task is unknown."""

    def __init__(
        self,
        tasks: Tasks,
        wallets: WalletService,
        starts: Starts,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._tasks = tasks
        self._wallets = wallets
        self._schedules = starts.schedules
        self._coverage = starts.coverage
        self._settings = settings
        self._clock = clock

    def create_task(self, owner: str, body: JsonObject) -> Task:
        """Check, compile, store and arm a task.

        Raises InvalidRequest with all problems at once, QuotaExceeded beyond the stage's enabled
        tasks. When the schedules can't be made, nothing stays stored.
        """
        # The compiler and its schemas load only where a task is created.
        from task_engine.services.drafting import Drafting  # noqa: PLC0415

        drafting = Drafting(self._wallets, self._coverage, self._settings)
        task, plan = drafting.draft(owner, body, self._clock.now_ms())
        self._tasks.create(task, plan, self._settings.limits.max_active_tasks)
        try:
            self._schedules.arm(task)
        except Exception:
            # Whatever went wrong: a task that will never fire must not stay.
            self._schedules.disarm(task)
            self._tasks.delete(owner, task.id, self._clock.now_ms())
            raise
        return task

    def get(self, owner: str, task_id: str) -> Task:
        """Raises NotFound when unknown or another owner's."""
        task = self._tasks.get(owner, task_id.lower()) if is_id(task_id) else None
        if task is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        return task

    def page(self, owner: str, chosen: TaskFilter, page: PageRequest) -> Page[Task]:
        """Newest first; raises InvalidRequest if a wallet of the filter is not the owner's."""
        owned = self._wallets.owned(owner, chosen.wallets)
        if len(owned) < len(chosen.wallets):
            text = "must be a wallet of yours"
            problem = Problem("INVALID_REQUEST", "smartWalletAddress", text)
            raise InvalidRequest("the list can't be filtered like this", (problem,))
        return self._tasks.page(owner, TaskFilter(owned, chosen.statuses), page)

    def count(self, owner: str, chosen: TaskFilter) -> int:
        """How many match; wallets that are not the owner's have none."""
        owned = self._wallets.owned(owner, chosen.wallets)
        if chosen.wallets and not owned:
            return 0
        return self._tasks.count(owner, TaskFilter(owned, chosen.statuses))

    def pause(self, owner: str, task_id: str) -> Task:
        """Disabled, its schedules removed; again is harmless. Raises Conflict when it is running
        or over."""
        task = self._change(owner, task_id, TaskStatus.DISABLED)
        # Also for a task that was paused already: an earlier attempt may have ended before this.
        self._schedules.disarm(task)
        return task

    def resume(self, owner: str, task_id: str) -> Task:
        """Enabled and armed; again is harmless. Raises Conflict when it is over, QuotaExceeded
        beyond the stage's enabled tasks."""
        before = self.get(owner, task_id)
        if before.status is TaskStatus.RUNNING:
            return before
        task = self._change(owner, task_id, TaskStatus.ENABLED)
        try:
            self._schedules.arm(task)
        except EngineError:
            if before.status is TaskStatus.DISABLED:
                self._tasks.set_status(task, TaskStatus.DISABLED, self._clock.now_ms())
            raise
        return task

    def delete(self, owner: str, task_id: str) -> bool:
        """True when there was one. Its schedules go first, so that a failure can be repeated; which
        they are can't be told of one that can't be read: they and its check stay behind, where
        `task-engine-ops check` finds them."""
        try:
            task = self.get(owner, task_id)
        except NotFound:
            return False
        except Corrupted:
            log.warning("deleted unread", extra={"task_id": task_id.lower(), "owner": owner})
        else:
            self._schedules.disarm(task)
        self._tasks.delete(owner, task_id.lower(), self._clock.now_ms())
        return True

    def _change(self, owner: str, task_id: str, status: TaskStatus) -> Task:
        try:
            return self._set_status(self.get(owner, task_id), status)
        except Conflict:
            # Another writer was first: what stands now may be what was asked for.
            return self._set_status(self.get(owner, task_id), status)

    def _set_status(self, task: Task, status: TaskStatus) -> Task:
        if task.status is status:
            return task
        if task.status not in _LIVE:
            word = task.status.value
            code = "TASK_ALREADY_COMPLETED" if task.status in _FINAL else "EXECUTION_IN_PROGRESS"
            raise Conflict(f"the workflow is {word}: it can't become {status.value}", code=code)
        bound = self._settings.limits.max_active_tasks if status is TaskStatus.ENABLED else 0
        return self._tasks.set_status(task, status, self._clock.now_ms(), max_active=bound)
