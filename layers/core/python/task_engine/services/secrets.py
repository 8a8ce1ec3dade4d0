"""Secrets: put, list, delete; values go in and never come out."""

from __future__ import annotations

import re

from task_engine.clock import Clock
from task_engine.errors import InvalidRequest, NotFound, NotImplementedHere, Problem
from task_engine.ids import is_id
from task_engine.model.paging import Page, PageRequest, page_of
from task_engine.model.secret import SecretInfo, SecretScope
from task_engine.services.ports import Secrets, Tasks

# Templates reach a secret by its name after a dot.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
MAX_VALUE_BYTES = 4096
"""What KMS encrypts in one call."""


class SecretService:
    """Secrets of an owner, for all of their tasks or for one."""

    def __init__(self, secrets: Secrets, tasks: Tasks, clock: Clock) -> None:
        self._secrets = secrets
        self._tasks = tasks
        self._clock = clock

    def put_secret(
        self, owner: str, name: str, value: str, task_id: str = "", org_id: str = ""
    ) -> bool:
        """Store under the task's scope when `task_id` is given, else the user's; True when new.

        Raises InvalidRequest with every problem of name and value, NotFound for a task that is not
        the owner's, NotImplementedHere for an organisation's scope.
        """
        _refuse_organisation(org_id)
        problems = _problems(name, value)
        if problems:
            raise InvalidRequest("the secret can't be stored", problems)
        scope, task_id = self._scope(owner, task_id)
        return self._secrets.put(owner, scope, task_id, name, value, self._clock.now_ms())

    def page(self, owner: str, task_id: str, org_id: str, page: PageRequest) -> Page[SecretInfo]:
        """All of the owner's, or one task's; ascending by key."""
        _refuse_organisation(org_id)
        if task_id and not is_id(task_id):
            return page_of(page, [], more=False, key_of=lambda info: info.name)
        return self._secrets.page(owner, task_id.lower() or None, page)

    def delete_secret(self, owner: str, name: str, task_id: str = "", org_id: str = "") -> bool:
        """True when there was one. Without a task: the user's own secret, or else the secret of
        that name of a task, if just one task has it."""
        _refuse_organisation(org_id)
        if _NAME.fullmatch(name) is None or (task_id and not is_id(task_id)):
            return False
        if task_id:
            return self._secrets.delete(owner, SecretScope.WORKFLOW, task_id.lower(), name)
        if self._secrets.delete(owner, SecretScope.USER, "", name):
            return True
        holders = self._tasks_with(owner, name)
        if len(holders) != 1:
            return False
        return self._secrets.delete(owner, SecretScope.WORKFLOW, holders[0], name)

    def _tasks_with(self, owner: str, name: str) -> list[str]:
        found: list[str] = []
        after: str | None = None
        while True:
            page = self._secrets.page(owner, None, PageRequest(after=after, limit=200))
            found += [
                info.task_id
                for info in page.rows
                if info.name == name and info.scope is SecretScope.WORKFLOW
            ]
            if not page.has_next:
                return found
            after = page.end_key

    def _scope(self, owner: str, task_id: str) -> tuple[SecretScope, str]:
        if not task_id:
            return SecretScope.USER, ""
        task = self._tasks.get(owner, task_id.lower())
        if task is None:
            raise NotFound("no such workflow", code="WORKFLOW_NOT_FOUND")
        return SecretScope.WORKFLOW, task.id


def _problems(name: str, value: str) -> tuple[Problem, ...]:
    problems: list[Problem] = []
    if _NAME.fullmatch(name) is None:
        text = "must be an identifier of 1 to 255 letters, digits and underscores"
        problems.append(Problem("SECRETS_BAD_REQUEST", "name", text))
    elif name.lower().startswith("ap_"):
        problems.append(Problem("SECRETS_BAD_REQUEST", "name", "must not begin with ap_"))
    if not value:
        problems.append(Problem("SECRETS_BAD_VALUE", "value", "must not be empty"))
    elif len(value.encode()) > MAX_VALUE_BYTES:
        text = f"must have at most {MAX_VALUE_BYTES} bytes"
        problems.append(Problem("SECRETS_BAD_VALUE", "value", text))
    return tuple(problems)


def _refuse_organisation(org_id: str) -> None:
    if org_id:
        raise NotImplementedHere("secrets of organisations are not offered: leave orgId out")
