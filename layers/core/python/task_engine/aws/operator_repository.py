"""Registered operators: one partition, so that listing them is a Query."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Query, Update
from task_engine.aws.items import Item
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.operator import Operator

_GROUP = "operators"


class OperatorRepository:
    """Implements Operators."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def all(self) -> list[Operator]:
        """By address."""
        query = Query(self._table, "#group = :group", {"group": _GROUP})
        return [_operator(item) for item in self._dynamo.rows(query)]

    def get(self, address: str) -> Operator | None:
        """One read."""
        item = self._dynamo.get(self._table, _key(address))
        return None if item is None else _operator(item)

    def register(self, operator: Operator) -> Operator:
        """Write what it says of itself; its counters and first day stay."""
        update = Update(
            self._table,
            _key(operator.address),
            "SET #version = :version, #lastSeen = :seen, #blocks = :blocks,"
            " #registeredAt = if_not_exists(#registeredAt, :seen)",
            {
                "version": operator.version,
                "seen": operator.last_seen,
                "blocks": {str(chain): block for chain, block in operator.blocks.items()},
            },
        )
        self._dynamo.update(update)
        return operator

    def count(self, address: str, *, events: int = 0, rejected: int = 0) -> None:
        """Add to a registered operator's counters; an unknown one is left alone."""
        update = Update(
            self._table,
            _key(address),
            "ADD #events :events, #rejected :rejected",
            {"events": events, "rejected": rejected},
            "attribute_exists(#sk)",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_OPERATORS")


def _key(address: str) -> dict[str, object]:
    return {"group": _GROUP, "sk": address}


def _operator(item: Item) -> Operator:
    return Operator(
        address=item["sk"],
        version=item.get("version", ""),
        last_seen=item.get("lastSeen", 0),
        blocks={int(chain): block for chain, block in item.get("blocks", {}).items()},
        events=item.get("events", 0),
        rejected=item.get("rejected", 0),
        registered_at=item.get("registeredAt", 0),
    )
