"""The own operator's row among the registered ones."""

from __future__ import annotations

from collections.abc import Callable

from task_engine.aws.dynamo import Dynamo, Update
from task_engine.aws.operator_repository import OperatorRepository
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.operator import Operator
from task_engine.model.shard import shard_setting


class OwnHeartbeats:
    """Implements Heartbeats: turns of several chains share one row, each writes its own part."""

    def __init__(
        self, dynamo: Dynamo, settings: Settings, address: Callable[[], str], version: str
    ) -> None:
        """Raises ConfigurationError for a shard that is none."""
        self._dynamo = dynamo
        self._settings = settings
        self._operators = OperatorRepository(dynamo, settings)
        self._address = address
        self._version = version
        self._shard = shard_setting(settings.names.get("OPERATOR_SHARD", ""))
        self._registered = False

    def beat(self, chain_id: int, block: int, now_ms: int) -> None:
        """One write; the first of a process reads the row and writes all of it."""
        if not self._registered or not self._update(chain_id, block, now_ms):
            self._register(chain_id, block, now_ms)

    def _update(self, chain_id: int, block: int, now_ms: int) -> bool:
        update = Update(
            self._settings.name("TABLE_OPERATORS"),
            {"group": "operators", "sk": self._address()},
            f"SET #lastSeen = :seen, #blocks.#{chain_id} = :block",
            {"seen": now_ms, "block": block},
            "attribute_exists(#blocks)",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return False
        return True

    def _register(self, chain_id: int, block: int, now_ms: int) -> None:
        address = self._address()
        known = self._operators.get(address)
        passed = dict(known.blocks) if known is not None else {}
        # A process that has just begun knows less than the row.
        passed[chain_id] = block or passed.get(chain_id, 0)
        self._operators.register(
            Operator(address, self._version, now_ms, passed, shard=self._shard)
        )
        self._registered = True
