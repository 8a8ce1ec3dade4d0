"""Executions: read, follow, decide."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from task_engine_client.document import Document, given, whole
from task_engine_client.errors import Unreachable, WaitTimeout
from task_engine_client.execution import Execution, ExecutionStats, ExecutionSummary
from task_engine_client.paging import Page, all_rows
from task_engine_client.transport import Transport

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_MOST_UNREACHED = 5


class Executions:
    """Calls below /executions; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, workflow_id: str, execution_id: str) -> Execution:
        """An execution with the steps that ended so far."""
        query = {"workflowId": workflow_id}
        return Execution.of(self._transport.send("GET", _path(execution_id), query=query))

    def status(self, workflow_id: str, execution_id: str) -> ExecutionSummary:
        """Only its status, which costs less than its steps."""
        path, query = f"{_path(execution_id)}:getStatus", {"workflowId": workflow_id}
        return ExecutionSummary.of(self._transport.send("GET", path, query=query))

    def page(
        self,
        workflow_ids: str | Sequence[str],
        *,
        after: str = "",
        before: str = "",
        limit: int | None = None,
    ) -> Page[Execution]:
        """One page over these workflows, newest first, without steps."""
        query = {"workflowId": _ids(workflow_ids), "after": after, "before": before, "limit": limit}
        return Page.of(self._transport.send("GET", "/executions", query=query), Execution.of)

    def all(self, workflow_ids: str | Sequence[str], *, limit: int = 200) -> Iterator[Execution]:
        """Every execution of these workflows, newest first, `limit` a page."""
        return all_rows(lambda cursor: self.page(workflow_ids, after=cursor, limit=limit))

    def count(self, workflow_ids: str | Sequence[str] = ()) -> int:
        """How many there are; of all workflows when none is named."""
        query = {"workflowId": _ids(workflow_ids)}
        return whole(self._transport.send("GET", "/executions:count", query=query), "total") or 0

    def stats(self, workflow_ids: str | Sequence[str] = ()) -> ExecutionStats:
        """Counts of the last seven days."""
        query = {"workflowId": _ids(workflow_ids)}
        return ExecutionStats.of(self._transport.send("GET", "/executions:stats", query=query))

    def signal(
        self, workflow_id: str, execution_id: str, decision: str, payload: Document | None = None
    ) -> Execution:
        """Decide on a wait: `approve` or `reject`."""
        path, query = f"{_path(execution_id)}:signal", {"workflowId": workflow_id}
        body = given([("decision", decision), ("payload", payload)])
        return Execution.of(self._transport.send("POST", path, body, query=query))

    def rerun(self, workflow_id: str, execution_id: str, *, key: str = "") -> ExecutionSummary:
        """Run it once more: a new execution with the same trigger record, variables included.

        A repeated request (same `key`; a fresh one by default) never starts a second execution.
        """
        path, query = f"{_path(execution_id)}:rerun", {"workflowId": workflow_id}
        answer = self._transport.send("POST", path, query=query, key=key or uuid.uuid4().hex)
        return ExecutionSummary.of({"workflowId": workflow_id, **answer})

    def resume(self, workflow_id: str, execution_id: str) -> Execution:
        """Have one that stopped go on after its stored steps; the execution, without its steps."""
        path, query = f"{_path(execution_id)}:resume", {"workflowId": workflow_id}
        return Execution.of(self._transport.send("POST", path, query=query))

    def stream(
        self, workflow_id: str, execution_id: str, interval: str = ""
    ) -> Iterator[ExecutionSummary]:
        """Changes of status as the server tells them; ends when the server closes.

        A gateway that holds no connections closes early: look at the last status, or use `wait`.
        """
        path = f"{_path(execution_id)}:stream"
        query = {"workflowId": workflow_id, "interval": interval}
        with self._transport.stream(path, query) as lines:
            for line in lines:
                if line.startswith("data:"):
                    yield ExecutionSummary.of(json.loads(line.removeprefix("data:")))

    def changes(
        self, workflow_id: str, execution_id: str, *, timeout: float = 600
    ) -> Iterator[Execution]:
        """The execution with its steps, again whenever it was read, until it is final.

        Pauses grow to 2 s while nothing changes; an API that can't be reached for a moment is
        asked again. Raises WaitTimeout after `timeout` seconds.
        """
        until = time.monotonic() + timeout
        pause, seen, unreached = _FIRST_PAUSE, ("", -1), 0
        while True:
            try:
                execution = self.get(workflow_id, execution_id)
            except Unreachable:
                unreached += 1
                if seen[1] < 0 or unreached > _MOST_UNREACHED:
                    raise
                self._transport.sleep(_LONGEST_PAUSE)
                continue
            unreached = 0
            yield execution
            if execution.final:
                return
            now = (execution.status, len(execution.steps))
            pause = min(pause * 1.5, _LONGEST_PAUSE) if now == seen else _FIRST_PAUSE
            seen = now
            left = until - time.monotonic()
            if left <= 0:
                raise WaitTimeout(f"{execution_id} is {execution.status} after {timeout:g} s")
            self._transport.sleep(min(pause, left))

    def wait(
        self,
        workflow_id: str,
        execution_id: str,
        *,
        timeout: float = 600,
        on_change: Callable[[Execution], object] | None = None,
    ) -> Execution:
        """The execution once it is final; `on_change` sees every state read until then.

        Raises WaitTimeout after `timeout` seconds.
        """
        last: Execution | None = None
        for last in self.changes(workflow_id, execution_id, timeout=timeout):
            if on_change is not None:
                on_change(last)
        if last is None:
            raise WaitTimeout(f"{execution_id} was not read")
        return last


def _path(execution_id: str) -> str:
    return f"/executions/{quote(execution_id, safe='')}"


def _ids(workflow_ids: str | Sequence[str]) -> tuple[str, ...]:
    return (workflow_ids,) if isinstance(workflow_ids, str) else tuple(workflow_ids)
