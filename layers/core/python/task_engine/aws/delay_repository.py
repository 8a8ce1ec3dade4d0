"""Since when something can't be done, for as long as it is tried."""

from __future__ import annotations

from task_engine.aws.dynamo import Dynamo, Update
from task_engine.config import Settings

_KEPT_SECONDS = 2 * 86_400


class DelayRepository:
    """Implements Delays in the table of guards."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._dynamo = dynamo
        self._settings = settings

    def since(self, order_id: str, now_ms: int) -> int:
        """One write that keeps the first time."""
        update = Update(
            self._settings.name("TABLE_GUARDS"),
            {"name": f"delay#{order_id}"},
            "SET #since = if_not_exists(#since, :now), #expiresAt = :until",
            {"now": now_ms, "until": now_ms // 1000 + _KEPT_SECONDS},
        )
        return int(self._dynamo.update(update, "ALL_NEW")["since"])
