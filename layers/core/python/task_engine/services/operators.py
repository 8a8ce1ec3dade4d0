"""Operators of a deployment: who watches which chains, what for, and what they tell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from task_engine.clock import Clock
from task_engine.errors import Forbidden, InvalidRequest, Problem
from task_engine.model.json_value import JsonValue
from task_engine.model.operator import Operator, Tally
from task_engine.model.shard import WHOLE, Shard
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import in_shard

if TYPE_CHECKING:
    from task_engine.operator.notices import Notice

MAX_NOTICES = 10


class Operators(Protocol):
    """Records of operators."""

    def all(self) -> list[Operator]:
        """By address."""

    def get(self, address: str) -> Operator | None:
        """None when unknown."""

    def register(self, operator: Operator) -> Operator:
        """Write what it says of itself; its counters and first day stay."""

    def count(self, address: str, tally: Tally, minute: int = 0) -> None:
        """Add to a registered operator's counters; `minute` says when its notices came (minutes
        since the epoch, 0 = none did)."""


class Checks(Protocol):
    """What operators watch for."""

    def page(self, chain_id: int, after: str, limit: int = 0) -> CheckPage:
        """Changes since the cursor `after`, "" = the whole set."""


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """One message for the notice queue; notices of one `owner` share a turn."""

    body: str
    owner: str


class NoticeQueue(Protocol):
    """The queue of notices."""

    def send(self, notices: Sequence[QueuedNotice]) -> None:
        """All of them; raises Unavailable, after which some may be there."""


class OperatorService:
    """Lists operators, tells which chains are watched, and answers operators."""

    def __init__(
        self, operators: Operators, checks: Checks, notices: NoticeQueue, clock: Clock
    ) -> None:
        self._operators = operators
        self._checks = checks
        self._notices = notices
        self._clock = clock

    def list_operators(self) -> list[Operator]:
        """All that ever registered, by address."""
        return self._operators.all()

    def heartbeat(
        self, address: str, version: str, blocks: Mapping[int, int], shard: Shard = WHOLE
    ) -> Operator:
        """What an operator says of itself, which registers it; `blocks` holds the last block that
        it has passed of each chain that it watches, `shard` which checks of them it watches."""
        now = self._clock.now_ms()
        said = Operator(address, version, now, dict(blocks), shard=shard)
        return self._operators.register(said)

    def checks(self, chain_id: int, after: str, limit: int, shard: Shard = WHOLE) -> CheckPage:
        """What to watch on a chain: all, or the changes since a cursor, of one shard's checks.

        A page's cursor and `removed` are about all shards. Raises InvalidRequest.
        """
        page = self._checks.page(chain_id, after, limit)
        return replace(page, checks=tuple(c for c in page.checks if in_shard(c, shard)))

    def accept(self, address: str, documents: Sequence[JsonValue]) -> list[str]:
        """Put an operator's notices into the queue; returns their ids.

        Raises InvalidRequest with everything that is wrong with any of them, Forbidden for those
        that another operator has signed; then none is in the queue.
        """
        # Loads the curve's arithmetic, which a list of operators does without.
        from task_engine.operator.notice_check import read_notice  # noqa: PLC0415
        from task_engine.operator.notices import notice_id  # noqa: PLC0415

        if not 0 < len(documents) <= MAX_NOTICES:
            text = f"must be a list of 1 to {MAX_NOTICES} notices"
            raise _refused([Problem("INVALID_REQUEST", "notices", text)])
        now = self._clock.now_ms()
        problems: list[Problem] = []
        read: list[tuple[Notice, str]] = []
        for place, document in enumerate(documents):
            body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            try:
                read.append((read_notice(body, now), body))
            except InvalidRequest as error:
                problems += [
                    Problem(p.code, f"notices[{place}].{p.path}".rstrip("."), p.message)
                    for p in error.problems
                ]
        if problems:
            raise _refused(problems)
        if any(notice.operator != address for notice, _ in read):
            raise Forbidden("these notices are another operator's", code="OPERATOR_NOT_ALLOWED")
        self._notices.send([QueuedNotice(body, notice.finding.owner) for notice, body in read])
        return [notice_id(notice.finding) for notice, _ in read]


def _refused(problems: list[Problem]) -> InvalidRequest:
    return InvalidRequest("the notices can't be accepted", tuple(problems), code=problems[0].code)
