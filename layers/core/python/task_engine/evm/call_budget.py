"""How many calls of nodes one run may make."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from task_engine.errors import NodeError
from task_engine.evm.failures import RpcError
from task_engine.evm.node import RpcRequest
from task_engine.evm.ports import RpcPort
from task_engine.model.json_value import JsonValue


class CallBudget:
    """Counts the calls of one run over all its chains; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spent = 0
        self._lock = threading.Lock()

    @property
    def spent(self) -> int:
        """Calls made so far."""
        return self._spent

    def spend(self, calls: int) -> None:
        """Count `calls` before they are made; raises NodeError QUOTA_EXCEEDED when they would be
        too many, and then counts none."""
        with self._lock:
            if self._spent + calls > self._most:
                raise NodeError(
                    f"a run may make {self._most} calls of a chain's node", code="QUOTA_EXCEEDED"
                )
            self._spent += calls

    def limit(self, rpc: RpcPort) -> RpcPort:
        """The same nodes at this budget's expense."""
        return _Counted(rpc, self)


class _Counted:
    """An RpcPort whose calls are counted."""

    def __init__(self, rpc: RpcPort, budget: CallBudget) -> None:
        self._rpc = rpc
        self._budget = budget

    @property
    def chain_id(self) -> int:
        return self._rpc.chain_id

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        self._budget.spend(1)
        return self._rpc.call(method, *params)

    def batch(
        self, calls: Sequence[RpcRequest], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        self._budget.spend(len(calls))
        return self._rpc.batch(calls, until=until)
