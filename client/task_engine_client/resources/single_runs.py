"""Single nodes and triggers, run without a workflow."""

from __future__ import annotations

import uuid

from task_engine_client.document import Document, given
from task_engine_client.records import RunResult
from task_engine_client.transport import Transport


class Nodes:
    """Calls below /nodes; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(
        self,
        node: Document,
        *,
        variables: Document | None = None,
        chain_id: int | None = None,
        key: str = "",
    ) -> RunResult:
        """Run one node; what fails inside it is a result, not an exception.

        A repeated request (same `key`; a fresh one by default) gives the first result again.
        """
        body = given([("node", node), ("inputVariables", variables), ("chainId", chain_id)])
        answer = self._transport.send("POST", "/nodes:run", body, key=key or uuid.uuid4().hex)
        return RunResult.of(answer)


class Triggers:
    """Calls below /triggers; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(self, trigger: Document, *, variables: Document | None = None) -> RunResult:
        """What a trigger would hand to a workflow if it fired now."""
        body = given([("trigger", trigger), ("triggerInput", variables)])
        return RunResult.of(self._transport.send("POST", "/triggers:run", body))
