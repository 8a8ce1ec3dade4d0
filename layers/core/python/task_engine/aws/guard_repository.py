"""One-time names."""

from __future__ import annotations

import os

from task_engine.aws.dynamo import Dynamo, Update
from task_engine.config import Settings
from task_engine.errors import ConditionFailed


class GuardRepository:
    """Implements Guards. DynamoDB's TTL deletes late: what is past its time counts as gone."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def take(self, name: str, ttl_seconds: int, now_ms: int) -> bool:
        """One conditional write. `holder` names this very call: when its answer was lost on the
        way and the call repeated, the name it finds taken is its own."""
        now = now_ms // 1000
        holder = os.urandom(8).hex()
        update = Update(
            self._settings.name("TABLE_GUARDS"),
            {"name": name},
            "SET #expiresAt = :until, #holder = :holder",
            {"until": now + ttl_seconds, "holder": holder, "now": now},
            "attribute_not_exists(#name) OR #expiresAt < :now",
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed as error:
            return (error.item or {}).get("holder") == holder
        return True
