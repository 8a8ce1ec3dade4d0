"""Registered operators: one partition, so that listing them is a Query."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Query, Update
from task_engine.aws.items import Item
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.operator import Operator, Tally
from task_engine.model.shard import WHOLE, read_shard

_GROUP = "operators"
_KNOWN = "attribute_exists(#sk)"


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
            "SET #software = :version, #lastSeen = :seen, #blocks = :blocks, #shard = :shard,"
            " #registeredAt = if_not_exists(#registeredAt, :seen)",
            {
                "version": operator.version,
                "seen": operator.last_seen,
                "shard": str(operator.shard),
                "blocks": {str(chain): block for chain, block in operator.blocks.items()},
            },
        )
        return _operator(self._dynamo.update(update, "ALL_NEW"))

    def count(self, address: str, tally: Tally, minute: int = 0) -> None:
        """One write, two for the first of a minute; an unknown operator is left alone."""
        adds = {"events": tally.events, "rejected": tally.rejected, "disputed": tally.disputed}
        given = {name: value for name, value in adds.items() if value}
        added = ", ".join(f"#{name} :{name}" for name in given)
        if not given and not minute:
            return
        if not minute:
            self._try(Update(self._table, _key(address), f"ADD {added}", given, _KNOWN))
            return
        values = {**given, "weight": tally.weight, "minute": minute}
        more = f"ADD {', '.join(filter(None, [added, '#inMinute :weight']))}"
        same = f"{_KNOWN} AND #minute = :minute"
        if self._try(Update(self._table, _key(address), more, values, same)):
            return
        fresh = "SET #minute = :minute, #inMinute = :weight" + (f" ADD {added}" if added else "")
        self._try(Update(self._table, _key(address), fresh, values, _KNOWN))

    def _try(self, update: Update) -> bool:
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            return False
        return True

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_OPERATORS")


def _key(address: str) -> dict[str, object]:
    return {"group": _GROUP, "sk": address}


def _operator(item: Item) -> Operator:
    return Operator(
        address=item["sk"],
        version=item.get("software", ""),
        last_seen=item.get("lastSeen", 0),
        blocks={int(chain): block for chain, block in item.get("blocks", {}).items()},
        events=item.get("events", 0),
        rejected=item.get("rejected", 0),
        disputed=item.get("disputed", 0),
        minute=item.get("minute", 0),
        in_minute=item.get("inMinute", 0),
        registered_at=item.get("registeredAt", 0),
        shard=read_shard(item.get("shard", "")) or WHOLE,
    )
