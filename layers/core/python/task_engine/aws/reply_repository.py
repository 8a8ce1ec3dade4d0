"""Replies that are kept for callers who ask again."""

from __future__ import annotations

import os
from typing import Any

from task_engine.aws.dynamo import Delete, Dynamo, Update
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.json_value import JsonValue
from task_engine.services.replies import Kept


class ReplyRepository:
    """Implements Replies beside the one-time names; what is past its time counts as gone."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings

    def begin(self, name: str, fingerprint: str, lease_seconds: int, now_ms: int) -> Kept:
        """One conditional write. `holder` names this very call, so that a repeated write whose
        answer was lost finds its own name."""
        now = now_ms // 1000
        holder = os.urandom(8).hex()
        values: dict[str, object] = {
            "until": now + lease_seconds,
            "holder": holder,
            "fingerprint": fingerprint,
            "now": now,
        }
        update = Update(
            self._table,
            {"name": name},
            "SET #expiresAt = :until, #holder = :holder, #fingerprint = :fingerprint REMOVE #reply",
            values,
            "attribute_not_exists(#name) OR #expiresAt < :now",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed as error:
            item: dict[str, Any] = error.item or {}
            return Kept(mine=True) if item.get("holder") == holder else self._kept(item)
        return Kept(mine=True)

    def find(self, name: str, now_ms: int) -> Kept | None:
        """One read."""
        item = self._dynamo.get(self._table, {"name": name})
        if item is None or int(item.get("expiresAt", 0)) < now_ms // 1000:
            return None
        return self._kept(item)

    def keep(self, name: str, reply: JsonValue, ttl_seconds: int, now_ms: int) -> None:
        """One write; a large reply goes to the blob store."""
        packed = self._packer.pack(reply, f"replies/{name.replace('#', '/')}")
        values: dict[str, object] = {"reply": packed, "until": now_ms // 1000 + ttl_seconds}
        setting = "SET #reply = :reply, #expiresAt = :until"
        self._dynamo.update(Update(self._table, {"name": name}, setting, values))

    def forget(self, name: str) -> None:
        """One removal."""
        self._dynamo.delete(Delete(self._table, {"name": name}))

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_GUARDS")

    def _kept(self, item: Item) -> Kept:
        fingerprint = str(item.get("fingerprint", ""))
        if "reply" not in item:
            return Kept(mine=False, fingerprint=fingerprint)
        reply = self._packer.unpack(item["reply"])
        return Kept(mine=False, fingerprint=fingerprint, reply=reply, done=True)
