"""One-time names."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Put
from task_engine.config import Settings
from task_engine.errors import ConditionFailed


class GuardRepository:
    """Implements Guards. DynamoDB's TTL deletes late: what is past its time counts as gone."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def take(self, name: str, ttl_seconds: int, now_ms: int) -> bool:
        """One conditional write."""
        now = now_ms // 1000
        put = Put(
            self._settings.name("TABLE_GUARDS"),
            {"name": name, "expiresAt": now + ttl_seconds},
            "attribute_not_exists(#name) OR #expiresAt < :now",
            {"now": now},
        )
        try:
            self._dynamo.put(put)
        except ConditionFailed:
            return False
        return True
