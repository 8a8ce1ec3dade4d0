"""Operators, their checks and their notices in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from task_engine.model.ballot import Ballot
from task_engine.model.operator import Operator, Tally
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.checks import Check
from task_engine.services.operators import QueuedNotice


class FakeOperators:
    """Implements Operators."""

    def __init__(self) -> None:
        self.rows: dict[str, Operator] = {}

    def all(self) -> list[Operator]:
        return [self.rows[address] for address in sorted(self.rows)]

    def get(self, address: str) -> Operator | None:
        return self.rows.get(address)

    def register(self, operator: Operator) -> Operator:
        before = self.rows.get(operator.address, operator)
        self.rows[operator.address] = replace(
            before,
            version=operator.version,
            last_seen=operator.last_seen,
            blocks=operator.blocks,
            shard=operator.shard,
            events=max(before.events, operator.events),
            registered_at=before.registered_at or operator.last_seen,
        )
        return self.rows[operator.address]

    def count(self, address: str, tally: Tally, minute: int = 0) -> None:
        if address not in self.rows:
            return
        row = self.rows[address]
        weight = row.in_minute if row.minute == minute else 0
        self.rows[address] = replace(
            row,
            events=row.events + tally.events,
            rejected=row.rejected + tally.rejected,
            disputed=row.disputed + tally.disputed,
            minute=minute or row.minute,
            in_minute=weight + tally.weight if minute else row.in_minute,
        )


class FakeVotes:
    """Implements Votes."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}

    def cast(self, name: str, operator: str, digest: str, now_ms: int) -> Ballot:
        votes = self.rows.setdefault(name, {})
        fresh = operator not in votes
        votes.setdefault(operator, digest)
        by_digest = {d: frozenset(o for o, v in votes.items() if v == d) for d in votes.values()}
        return Ballot(by_digest, votes[operator], fresh)


class FakeChecks:
    """Implements Checks: every page is the whole set."""

    def __init__(self) -> None:
        self.rows: list[Check] = []
        self.asked: list[tuple[int, str, int]] = []

    def find(self, chain_id: int, check_id: str) -> Check | None:
        return next((c for c in self.rows if (c.chain_id, c.id) == (chain_id, check_id)), None)

    def page(self, chain_id: int, after: str, limit: int = 0) -> CheckPage:
        self.asked.append((chain_id, after, limit))
        found = tuple(check for check in self.rows if check.chain_id == chain_id)
        return CheckPage(found, (), "next", full=True)


class FakeNoticeQueue:
    """Implements NoticeQueue."""

    def __init__(self) -> None:
        self.sent: list[QueuedNotice] = []

    def send(self, notices: Sequence[QueuedNotice]) -> None:
        self.sent += notices
