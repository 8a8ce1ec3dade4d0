"""Checks of a chain as operators read them: the whole set once, then what changed."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from task_engine.aws.check_writes import GONE_DAYS, WATCHED, check_group
from task_engine.aws.dynamo import Dynamo, Query
from task_engine.aws.items import Item
from task_engine.aws.packed import decompressed
from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import InvalidRequest
from task_engine.observability import metric
from task_engine.operator.check_codec import CheckPage, check_from_json
from task_engine.operator.checks import Check

log = logging.getLogger(__name__)

MAX_LIMIT = 500
OVERLAP_MS = 20_000
"""Changes are read again for so long: a transaction may show later than its version says, on a
machine whose clock is slow, or in an index that lags."""
_MAX_PAGE_BYTES = 1_000_000
_MAX_AGE_MS = (GONE_DAYS - 1) * 86_400_000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reader stands. `since` is the version from which changes are to be read, `then` the
    next one once these are read to their end, `begun` when the whole set was begun (ms); `sk`, with
    its `version` among changes, is the last row read of what is not read to its end yet."""

    since: int
    then: int
    begun: int
    full: bool = False
    sk: str = ""
    version: int = 0


class CheckRepository:
    """Implements CheckSource on the table. A row shows at least once; repeats are harmless."""

    def __init__(self, dynamo: Dynamo, settings: Settings, clock: Clock) -> None:
        self._dynamo = dynamo
        self._settings = settings
        self._clock = clock

    def page(self, chain_id: int, after: str, limit: int = MAX_LIMIT) -> CheckPage:
        """Changes since the cursor `after`; the whole set when it is "" or too old.

        Raises InvalidRequest for a cursor that is malformed or another chain's.
        """
        now = self._clock.now_ms()
        place = _read(after, chain_id) if after else None
        if place is None or now - place.begun > _MAX_AGE_MS:
            place = _Place(now - OVERLAP_MS, now - OVERLAP_MS, begun=now, full=True)
        if place.full:
            return self._whole(chain_id, place, limit)
        if not place.sk:
            place = replace(place, then=max(place.since, now - OVERLAP_MS))
        return self._changes(chain_id, place, limit)

    def find(self, chain_id: int, check_id: str) -> Check | None:
        """One consistent read; None when it is watched for no longer."""
        table = self._settings.name("TABLE_OPERATORS")
        row = self._dynamo.get(table, {"group": check_group(chain_id), "sk": check_id})
        if row is None or row["state"] != WATCHED:
            return None
        return check_from_json(decompressed(row["check"]))

    def _whole(self, chain_id: int, place: _Place, limit: int) -> CheckPage:
        query = Query(
            self._settings.name("TABLE_OPERATORS"),
            "#group = :group AND #sk > :sk",
            {"group": check_group(chain_id), "sk": place.sk or " ", "watched": WATCHED},
            filter="#state = :watched",
            consistent=True,
        )
        rows, more = _some(self._dynamo.rows(query), limit)
        after = (
            replace(place, sk=str(rows[-1]["sk"])) if more else replace(place, sk="", full=False)
        )
        checks = tuple(_checks(rows))
        return CheckPage(checks, (), _written(after, chain_id), full=not place.sk, more=more)

    def _changes(self, chain_id: int, place: _Place, limit: int) -> CheckPage:
        group = check_group(chain_id)
        start = {"group": group, "sk": place.sk, "version": place.version} if place.sk else {}
        query = Query(
            self._settings.name("TABLE_OPERATORS"),
            "#group = :group AND #version >= :since",
            {"group": group, "since": place.since},
            index="changes",
            start=start,
        )
        rows, more = _some(self._dynamo.rows(query), limit)
        after = replace(place, since=place.then, sk="", version=0)
        if more:
            last = rows[-1]
            after = replace(place, sk=str(last["sk"]), version=int(last["version"]))
        return CheckPage(
            checks=tuple(_checks(row for row in rows if row["state"] == WATCHED)),
            removed=tuple(str(row["sk"]) for row in rows if row["state"] != WATCHED),
            cursor=_written(after, chain_id),
            more=more,
        )


def _some(rows: Iterable[Item], limit: int) -> tuple[list[Item], bool]:
    """The first rows, as many as fit, and whether there are more."""
    taken: list[Item] = []
    size = 0
    for row in rows:
        if taken and (len(taken) >= limit or size >= _MAX_PAGE_BYTES):
            return taken, True
        # Interfaces of contracts compress to about a fifth.
        size += 5 * len(row.get("check", b"")) + 200
        taken.append(row)
    return taken, False


def _checks(rows: Iterable[Item]) -> Iterator[Check]:
    for row in rows:
        try:
            yield check_from_json(decompressed(row["check"]))
        except InvalidRequest as error:
            # One check that nobody can watch is no reason to watch for no other.
            metric("CheckUnreadable")
            log.error(
                "a check can't be read", extra={"task_id": row["sk"], "code": error.stable_code}
            )


def _written(place: _Place, chain_id: int) -> str:
    numbers = (place.since, place.then, place.begun, int(place.full), place.version)
    document = [chain_id, *numbers, place.sk]
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def _read(text: str, chain_id: int) -> _Place:
    try:
        document = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        chain, since, then, begun, full, version, sk = document
        if any(type(number) is not int for number in document[:6]) or not isinstance(sk, str):
            raise TypeError("not a place")
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidRequest("the cursor is malformed", code="INVALID_CURSOR") from error
    if chain != chain_id:
        raise InvalidRequest("the cursor belongs to another chain", code="INVALID_CURSOR")
    return _Place(since, then, begun, bool(full), sk, version)
