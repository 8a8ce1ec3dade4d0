"""How far the own operator has watched each chain."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Put
from task_engine.aws.packed import compressed, decompressed
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.operator.cursor import Cursor, cursor_from_json, cursor_to_json


class CursorRepository:
    """Implements CursorStore for one operator, by conditional writes."""

    def __init__(self, dynamo: Dynamo, settings: Settings, operator_address: str) -> None:
        self._dynamo = dynamo
        self._settings = settings
        self._operator = operator_address

    def get(self, chain_id: int) -> Cursor | None:
        """One strongly consistent read."""
        item = self._dynamo.get(self._table, self._key(chain_id))
        return None if item is None else cursor_from_json(decompressed(item["cursor"]))

    def put(self, cursor: Cursor, expected_revision: int) -> bool:
        """One write. What stands there being this very cursor means that the answer to a first try
        was lost on the way: then it is written."""
        key = self._key(cursor.chain_id)
        packed = compressed(cursor_to_json(cursor))
        item = {**key, "cursor": packed, "revision": cursor.revision}
        put = Put(self._table, item, "attribute_not_exists(#sk)")
        if expected_revision:
            values = {"expected": expected_revision}
            put = Put(self._table, item, "#revision = :expected", values)
        try:
            self._dynamo.put(put)
        except ConditionFailed:
            stored = self._dynamo.get(self._table, key)
            return stored is not None and stored["cursor"] == packed
        return True

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_OPERATORS")

    def _key(self, chain_id: int) -> dict[str, object]:
        return {"group": f"cursor#{chain_id}", "sk": self._operator}
