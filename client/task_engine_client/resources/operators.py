"""Operators: who watches the chains."""

from __future__ import annotations

from task_engine_client.document import objects
from task_engine_client.records import Operator
from task_engine_client.transport import Transport


class Operators:
    """Calls of /operators; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> tuple[Operator, ...]:
        """All of them; needs no token."""
        answer = self._transport.send("GET", "/operators")
        return tuple(Operator.of(item) for item in objects(answer, "data"))
