"""One-time names."""

from __future__ import annotations

import os

from task_engine.aws.dynamo import Dynamo
from task_engine.aws.taken_names import take_name
from task_engine.config import Settings


class GuardRepository:
    """Implements Guards. DynamoDB's TTL deletes late: what is past its time counts as gone."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def take(self, name: str, ttl_seconds: int, now_ms: int) -> bool:
        """One conditional write. `holder` names this very call: when its answer was lost on the
        way and the call repeated, the name it finds taken is its own."""
        now, holder = now_ms // 1000, os.urandom(8).hex()
        table = self._settings.name("TABLE_GUARDS")
        return take_name(self._dynamo, table, name, holder, (now, now + ttl_seconds))
