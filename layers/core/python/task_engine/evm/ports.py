"""What the chain part asks of a node's JSON-RPC, as a port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from task_engine.model.json_value import JsonValue

if TYPE_CHECKING:
    from task_engine.evm.failures import RpcError


class RpcPort(Protocol):
    """JSON-RPC of the nodes of one chain."""

    @property
    def chain_id(self) -> int:
        """Of the chain that every answer is about."""

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        """The result of one call; raises RpcError."""

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        """The result of each call in one round trip, in their order; a call's own error is a value.

        `until` is a time of the monotonic clock after which nothing is tried any more. Raises
        RpcError when no node could be asked.
        """
