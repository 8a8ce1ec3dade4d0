"""The `state.*` store of tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from task_engine.aws.dynamo import Dynamo, Put, Query
from task_engine.aws.packed import Packer
from task_engine.config import Settings
from task_engine.model.json_value import JsonValue


class TaskState:
    """One task's keys; each is an item, so that parallel nodes overwrite no other key."""

    def __init__(self, dynamo: Dynamo, packer: Packer, table: str, task_id: str) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._table = table
        self._task_id = task_id

    def load(self) -> dict[str, JsonValue]:
        """All keys with their values."""
        query = Query(self._table, "#taskId = :id", {"id": self._task_id}, consistent=True)
        return {
            str(item["key"]): self._packer.unpack(item["value"])
            for item in self._dynamo.rows(query)
        }

    def save(self, changes: Mapping[str, JsonValue]) -> None:
        """Write the changed keys."""
        for key, value in changes.items():
            # A script chooses the key's text; an object's name must not follow from it.
            name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
            packed = self._packer.pack(value, f"state/{self._task_id}/{name}")
            self._dynamo.put(
                Put(self._table, {"taskId": self._task_id, "key": key, "value": packed})
            )


class StateRepository:
    """Implements StateStores."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings

    def of(self, task_id: str) -> TaskState:
        """The durable store of one task; nothing is read until it is used."""
        return TaskState(
            self._dynamo, self._packer, self._settings.names.get("TABLE_TASK_STATE", ""), task_id
        )
