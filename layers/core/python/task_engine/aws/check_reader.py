"""The checks of a chain as the engine's tables hold them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from task_engine.aws.dynamo import Dynamo, Query
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import InvalidRequest
from task_engine.observability import metric
from task_engine.operator.check_codec import CheckPage, check_from_json
from task_engine.operator.checks import Check

log = logging.getLogger(__name__)

_OVERLAP_MS = 15_000
"""How long a change may take to show in the index, its writer's clock being off included."""
_WHOLE_EVERY_MS = 600_000


class CheckReader:
    """Implements CheckSource. The whole set is read from the table itself, strongly consistent;
    then changes from the index. Every ten minutes the whole set is read again: whatever an index
    may have kept back, and what was removed long ago, is put right then."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings, clock: Clock) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings
        self._clock = clock

    def page(self, chain_id: int, after: str) -> CheckPage:
        """Everything since `after` in one page; as a cursor says, `<whole set read>:<read>` in ms.
        Raises Unavailable."""
        now = self._clock.now_ms()
        whole, _, last = after.partition(":")
        if not last or now - int(whole) >= _WHOLE_EVERY_MS:
            query = Query(
                self._table,
                "#group = :group",
                {"group": _group(chain_id), "watched": "watched"},
                filter="#state = :watched",
                consistent=True,
            )
            checks = self._read(self._dynamo.rows(query))
            return CheckPage(tuple(checks), (), f"{now}:{now}", full=True)
        query = Query(
            self._table,
            "#group = :group AND #version >= :since",
            {"group": _group(chain_id), "since": int(last) - _OVERLAP_MS},
            index="changes",
        )
        rows = list(self._dynamo.rows(query))
        checks = self._read(row for row in rows if row.get("state") == "watched")
        gone = tuple(row["sk"] for row in rows if row.get("state") != "watched")
        return CheckPage(tuple(checks), gone, f"{whole}:{now}")

    def _read(self, rows: Iterable[Item]) -> list[Check]:
        checks = []
        for row in rows:
            try:
                checks.append(check_from_json(self._packer.unpack(row["check"])))
            except (InvalidRequest, KeyError) as error:
                # One check that nobody can watch is no reason to watch for no other.
                metric("CheckUnreadable")
                log.error("a check can't be read: %s", error, extra={"task_id": row["sk"]})
        return checks

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_OPERATORS")


def _group(chain_id: int) -> str:
    return f"checks#{chain_id}"
