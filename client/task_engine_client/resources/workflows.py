"""Workflows: create, list, trigger, pause, resume, delete, simulate."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from task_engine_client.document import Document, Json, given, whole
from task_engine_client.execution import Execution, ExecutionSummary
from task_engine_client.paging import Page, all_rows
from task_engine_client.transport import Transport
from task_engine_client.workflow import Workflow


class Workflows:
    """Calls below /workflows; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, definition: Document, *, key: str = "") -> Workflow:
        """Store a workflow.

        A repeated request (same `key`; a fresh one by default) never stores a second one: for a
        day it gives the first one again, and is refused when the definition is another.
        """
        key = key or uuid.uuid4().hex
        return Workflow.of(self._transport.send("POST", "/workflows", definition, key=key))

    def get(self, workflow_id: str) -> Workflow:
        """A workflow of the caller."""
        return Workflow.of(self._transport.send("GET", _path(workflow_id)))

    def page(
        self,
        *,
        wallets: Sequence[str] = (),
        statuses: Sequence[str] = (),
        after: str = "",
        before: str = "",
        limit: int | None = None,
    ) -> Page[Workflow]:
        """One page, newest first; rows come without their input variables."""
        query = {
            "smartWalletAddress": tuple(wallets),
            "status": tuple(statuses),
            "after": after,
            "before": before,
            "limit": limit,
        }
        return Page.of(self._transport.send("GET", "/workflows", query=query), Workflow.of)

    def all(
        self, *, wallets: Sequence[str] = (), statuses: Sequence[str] = (), limit: int = 200
    ) -> Iterator[Workflow]:
        """Every workflow, newest first, `limit` a page."""
        return all_rows(
            lambda cursor: self.page(wallets=wallets, statuses=statuses, after=cursor, limit=limit)
        )

    def count(self, *, wallets: Sequence[str] = (), statuses: Sequence[str] = ()) -> int:
        """How many there are."""
        query = {"smartWalletAddress": tuple(wallets), "status": tuple(statuses)}
        return whole(self._transport.send("GET", "/workflows:count", query=query), "total") or 0

    def trigger(
        self,
        workflow_id: str,
        *,
        data: Json = None,
        variables: Document | None = None,
        trigger_type: str = "manual",
        blocking: bool = False,
        key: str = "",
    ) -> ExecutionSummary:
        """Start an execution; `blocking` waits for its end as long as the gateway holds.

        A repeated request (same `key`; a fresh one by default) never starts a second execution.
        """
        body = given(
            [
                ("triggerType", trigger_type),
                ("triggerOutput", data),
                ("triggerInput", variables),
                ("isBlocking", blocking),
            ]
        )
        path = f"{_path(workflow_id)}:trigger"
        answer = self._transport.send("POST", path, body, key=key or uuid.uuid4().hex)
        return ExecutionSummary.of({"workflowId": workflow_id, **answer})

    def pause(self, workflow_id: str) -> Workflow:
        """Let no trigger start it until it is resumed."""
        return Workflow.of(self._transport.send("POST", f"{_path(workflow_id)}:pause"))

    def resume(self, workflow_id: str) -> Workflow:
        """Let triggers start it again."""
        return Workflow.of(self._transport.send("POST", f"{_path(workflow_id)}:resume"))

    def delete(self, workflow_id: str) -> None:
        """Remove it; an unknown id is no error."""
        self._transport.send("DELETE", _path(workflow_id))

    def simulate(self, definition: Document) -> Execution:
        """Run a definition without storing it and without side effects."""
        body = {name: definition[name] for name in _SIMULATED if name in definition}
        return Execution.of(self._transport.send("POST", "/workflows:simulate", body))

    def estimate_fees(self, definition: Document) -> Document:
        """What one run of a definition would cost."""
        body = {name: definition[name] for name in _SIMULATED if name in definition}
        times = {"createdAt": 0, "expireAt": 0, "maxExecution": 0}
        answer: Document = self._transport.send(
            "POST", "/workflows:estimateFees", {**times, **body}
        )
        return answer


_SIMULATED = ("trigger", "nodes", "edges", "inputVariables", "chainId")


def _path(workflow_id: str) -> str:
    return f"/workflows/{quote(workflow_id, safe='')}"
