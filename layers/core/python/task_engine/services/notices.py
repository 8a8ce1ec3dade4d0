"""Batches of notices from the queue: who sent them, whether enough say the same, and what then."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from task_engine.clock import Clock
from task_engine.errors import EngineError, InvalidRequest
from task_engine.model.ballot import Ballot
from task_engine.model.execution import Execution
from task_engine.model.json_value import JsonValue
from task_engine.model.operator import Operator, Tally
from task_engine.observability import log_context, metric
from task_engine.operator.checks import wait_of
from task_engine.operator.findings import Finding, Kind
from task_engine.services.notice_acts import NoticeActs, TaskShelf, WaitWaker
from task_engine.services.notice_refusals import NoticeRefused
from task_engine.services.operator_rules import OperatorRules
from task_engine.services.operators import Operators
from task_engine.services.ports import Tasks
from task_engine.services.triggers import TriggerService

if TYPE_CHECKING:
    from task_engine.operator.notices import Notice

log = logging.getLogger(__name__)

Record = Mapping[str, object]
_MINUTE_MS = 60_000
_REFUSED_WEIGHT = 10
# These say that whoever stands in the notice need not have sent it.
_UNSIGNED = frozenset({"NOTICE_MALFORMED", "NOTICE_TOO_LARGE", "NOTICE_BAD_SIGNATURE"})


class Votes(Protocol):
    """What operators said about the same thing."""

    def cast(self, name: str, operator: str, digest: str, now_ms: int) -> Ballot:
        """One operator's word on the data of a notice, and how all words stand then; the first
        counts, another one changes nothing."""


@dataclass(frozen=True, slots=True)
class NoticePorts:
    """What taking notices in needs of the world."""

    operators: Operators
    votes: Votes
    tasks: Tasks
    triggers: TriggerService
    waits: WaitWaker
    clock: Clock


@dataclass(slots=True)
class _Batch:
    """What one batch has read and brought about."""

    tasks: TaskShelf
    operators: dict[str, Operator | None]
    started: dict[str, Execution] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    disputed: Counter[str] = field(default_factory=Counter)


class NoticeIntake:
    """Answers batches of the notice queue.

    A notice that can't be believed, or comes too late, is done with: logged, counted, dropped. One
    that failed on our side comes again, and ends in the dead-letter queue when it always does; it
    holds up no other.
    """

    def __init__(self, ports: NoticePorts, acts: NoticeActs, rules: OperatorRules) -> None:
        self._ports = ports
        self._acts = acts
        self._rules = rules

    def take(self, records: Sequence[Record]) -> list[JsonValue]:
        """The failures, as SQS wants them:
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"""
        blamed: Counter[str] = Counter()
        read = {_message_id(record): self._read(record, blamed) for record in records}
        notices = {name: notice for name, notice in read.items() if notice is not None}
        batch = self._batch(list(notices.values()), blamed)
        failed = []
        for record in records:
            name = _message_id(record)
            if name in notices and not self._handled(record, notices[name], batch):
                failed.append(name)
        failed += self._queue(batch)
        self._count(batch)
        return [{"itemIdentifier": name} for name in dict.fromkeys(failed)]

    def _read(self, record: Record, blamed: Counter[str]) -> Notice | None:
        # Loads the curve's arithmetic, which firings of schedules do without.
        from task_engine.operator.notice_check import read_notice  # noqa: PLC0415

        body = str(record.get("body", ""))
        try:
            return read_notice(body, _sent_at(record) or self._ports.clock.now_ms())
        except InvalidRequest as error:
            codes = {problem.code for problem in error.problems}
            _dropped(error.stable_code)
            if not codes & _UNSIGNED:
                # Its operator has signed it, and should not have sent it.
                blamed[str(json.loads(body)["source"]).rpartition("/")[2]] += 1
            return None

    def _batch(self, notices: Sequence[Notice], blamed: Counter[str]) -> _Batch:
        tasks = {(n.finding.owner, n.finding.check_id) for n in notices if not _of_wait(n.finding)}
        senders = {notice.operator for notice in notices}
        allowed = [address for address in sorted(senders) if self._rules.allows(address)]
        return _Batch(
            TaskShelf(self._ports.tasks, tasks),
            {address: self._ports.operators.get(address) for address in allowed},
            sent=Counter(blamed),
            rejected=Counter(blamed),
        )

    def _handled(self, record: Record, notice: Notice, batch: _Batch) -> bool:
        """Whether the message is done with."""
        finding = notice.finding
        with log_context(task_id=finding.check_id, owner=finding.owner):
            try:
                return self._handle(record, notice, batch)
            except NoticeRefused as error:
                batch.rejected[notice.operator] += error.blamed
                _dropped(error.stable_code)
            except InvalidRequest as error:
                # The task is paused, over, gone or cooling down: the notice is answered.
                _answered(error.stable_code)
            except EngineError as error:
                log.warning("a notice failed", extra={"code": error.stable_code})
                return False
            except Exception:
                # One poisoned message must not hold up the others of its batch.
                log.exception("a notice failed unforeseen")
                return False
        return True

    def _handle(self, record: Record, notice: Notice, batch: _Batch) -> bool:
        if not self._listened_to(notice, batch):
            # It comes again when the operator has calmed down.
            return False
        batch.sent[notice.operator] += 1
        finding = notice.finding
        if _of_wait(finding):
            if self._agreed(notice, batch):
                self._ports.waits.wake(finding)
            return True
        found = batch.tasks.get(finding.owner, finding.check_id)
        task = self._acts.check(found, finding)
        if not self._agreed(notice, batch):
            return True
        if finding.kind is Kind.ORPHANED:
            self._acts.take_back(task, finding, notice.time_ms)
        elif finding.kind is Kind.OVERLOAD:
            batch.tasks.put(self._acts.switch_off(task, finding))
        else:
            again = _times_received(record) > 1
            after, execution = self._acts.fire(task, finding, notice.time_ms, again=again)
            batch.tasks.put(after)
            if execution is not None:
                batch.started[_message_id(record)] = execution
        return True

    def _listened_to(self, notice: Notice, batch: _Batch) -> bool:
        """False when it is to come later. Raises NoticeRefused for an operator that is not listed,
        has not registered, or does not watch this chain."""
        operator = batch.operators.get(notice.operator)
        if notice.operator not in batch.operators:
            raise NoticeRefused("OPERATOR_NOT_ALLOWED", "nobody listed this operator")
        if operator is None:
            raise NoticeRefused("OPERATOR_UNKNOWN", "this operator has not registered")
        if notice.finding.occurrence.chain_id not in operator.blocks:
            text = "this operator does not say that it watches the chain"
            raise NoticeRefused("OPERATOR_NOT_ON_CHAIN", text, blamed=True)
        minute = self._ports.clock.now_ms() // _MINUTE_MS
        if operator.minute == minute and operator.in_minute >= self._rules.per_minute:
            metric("NoticesHeldBack")
            return False
        return True

    def _agreed(self, notice: Notice, batch: _Batch) -> bool:
        """Whether enough operators say this; counts those that say otherwise."""
        quorum = self._rules.quorum
        if quorum <= 1:
            return True
        # Loads the curve's arithmetic, as reading it has done.
        from task_engine.operator.notices import notice_id  # noqa: PLC0415

        now = self._ports.clock.now_ms()
        name = notice_id(notice.finding)
        ballot = self._ports.votes.cast(name, notice.operator, notice.digest, now)
        winner = ballot.winner(quorum)
        if ballot.own != notice.digest:
            # It said something else before: the first word counts.
            batch.rejected[notice.operator] += 1
        elif ballot.fresh:
            _count_dissent(ballot, winner, quorum, batch, notice.operator)
        return winner is not None and winner == notice.digest == ballot.own

    def _queue(self, batch: _Batch) -> list[str]:
        """The messages whose executions the queue did not take; they come again."""
        if not batch.started:
            return []
        try:
            self._ports.triggers.enqueue(list(batch.started.values()))
        except EngineError as error:
            log.warning("executions were not queued", extra={"code": error.stable_code})
            return list(batch.started)
        return []

    def _count(self, batch: _Batch) -> None:
        minute = self._ports.clock.now_ms() // _MINUTE_MS
        for address in {*batch.sent, *batch.rejected, *batch.disputed}:
            sent, rejected = batch.sent[address], batch.rejected[address]
            weight = sent + (_REFUSED_WEIGHT - 1) * rejected
            tally = Tally(sent, rejected, batch.disputed[address], weight)
            try:
                self._ports.operators.count(address, tally, minute)
            except EngineError as error:
                # What the notices were about is done: they must not come again for a figure.
                log.warning("an operator was not counted", extra={"code": error.stable_code})


def _count_dissent(
    ballot: Ballot, winner: str | None, quorum: int, batch: _Batch, operator: str
) -> None:
    """A new vote that differs disputes and is disputed; with a decision the losers are wrong."""
    others = ballot.others()
    decided_now = winner == ballot.own and len(ballot.votes[ballot.own]) == quorum
    if winner is not None and winner != ballot.own:
        batch.rejected[operator] += 1
    elif decided_now:
        batch.rejected.update(others)
    if others:
        metric("NoticesDisputed")
        batch.disputed.update({operator, *others})


def _dropped(code: str) -> None:
    metric("NoticesRefused", reason=code)
    log.warning("a notice was refused", extra={"code": code})


def _answered(code: str) -> None:
    if code == "TASK_COOLING_DOWN":
        metric("NoticesSuppressed")
    log.info("a notice fired nothing", extra={"code": code})


def _of_wait(finding: Finding) -> bool:
    return wait_of(finding.check_id) is not None


def _message_id(record: Record) -> str:
    return str(record.get("messageId", ""))


def _attribute(record: Record, name: str) -> int:
    attributes = record.get("attributes")
    text = str(attributes.get(name, "")) if isinstance(attributes, Mapping) else ""
    return int(text) if text.isascii() and text.isdigit() else 0


def _sent_at(record: Record) -> int:
    return _attribute(record, "SentTimestamp")


def _times_received(record: Record) -> int:
    return _attribute(record, "ApproximateReceiveCount")
