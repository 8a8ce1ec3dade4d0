"""Blocks that were passed before a check was known: it takes a moment until an operator hears of a
task, and what happened in that moment counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from task_engine.clock import Clock
from task_engine.evm.failures import RpcError
from task_engine.operator.chain_view import ChainView, Reading, Wanted
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import Check
from task_engine.operator.cursor import Cursor, Fired
from task_engine.operator.finder import Finder, Moment
from task_engine.operator.findings import Finding, Kind
from task_engine.operator.placing import place_of
from task_engine.operator.rules import WatchRules
from task_engine.operator.token_names import TokenNames
from task_engine.operator.watch import WatchPorts

_SECOND_MS = 1000
"""Blocks tell their time in whole seconds."""


class Latecomers:
    """Looks, for checks that are new, at blocks which the watcher has passed since they were there:
    those that did not come before a check, of the last five minutes at most. A block came when it
    says so, later as far as the chain's clock is known to be slow.

    Whoever begins to watch can't know what another one before has known, so all young checks are
    new to it; what is told twice, the engine knows by its name.
    """

    def __init__(
        self, ports: WatchPorts, checks: CheckSet, rules: WatchRules, clock: Clock
    ) -> None:
        self._ports = ports
        self._checks = checks
        self._rules = replace(rules, grace_ms=_SECOND_MS)
        self._clock = clock
        self._view = ChainView(ports.rpc, rules.max_span)
        self._names = TokenNames(ports.tokens, checks.chain_id)
        self._revision = -1
        self._known: dict[str, int] = {}
        self._new: dict[str, Check] = {}

    def look(self) -> Mapping[Kind, int]:
        """Watch what was passed for the checks that are new since the last time; what was sent, by
        kind. Nothing is asked without such checks. Raises as a watcher does, and then looks
        again the next time."""
        self._take_in()
        if not self._new:
            return {}
        cursor = self._ports.cursors.get(self._checks.chain_id)
        sent: Mapping[Kind, int] = {}
        if cursor is not None and cursor.hash:
            # What is not passed yet, the watcher will look at for them.
            late = [check for check in self._new.values() if self._is_late(check, cursor)]
            sent = self._watch(late, cursor) if late else {}
        self._new.clear()
        return sent

    def _take_in(self) -> None:
        if self._revision == self._checks.revision:
            return
        self._revision = self._checks.revision
        now = {check.id: check for check in self._checks.checks.values()}
        for name, check in now.items():
            if self._known.get(name) != check.since_ms:
                self._new[name] = check
        self._new = {name: now[name] for name in self._new if name in now}
        self._known = {name: check.since_ms for name, check in now.items()}

    def _is_late(self, check: Check, cursor: Cursor) -> bool:
        young = check.since_ms >= self._clock.now_ms() - self._rules.first_look_back_ms
        return young and check.since_ms <= cursor.seen_ms + self._rules.grace_ms

    def _watch(self, late: Sequence[Check], cursor: Cursor) -> Mapping[Kind, int]:
        checks = CheckSet(self._checks.chain_id)
        checks.apply(CheckPage(tuple(late), (), "", full=True))
        finder = Finder(self._ports.rpc, self._view, self._names, self._rules)
        finder.index(checks)
        since = min(check.since_ms for check in late) - cursor.slow_ms
        now_ms = self._clock.now_ms()
        first = place_of(self._view, None, cursor.block, since, now_ms, self._rules).first
        found: list[Finding] = []
        while first <= cursor.block:
            numbers = finder.numbers(first, cursor.block, cursor.block)
            wanted = Wanted(first, cursor.block, numbers, finder.log_filter)
            reading = self._view.read(wanted, {})
            found += self._found(finder, reading, cursor, now_ms)
            first = reading.last + 1
        if found:
            self._ports.notifier.send(found)
            self._remember(found, cursor)
        return Counter(finding.kind for finding in found)

    @staticmethod
    def _found(finder: Finder, reading: Reading, cursor: Cursor, now_ms: int) -> list[Finding]:
        head = reading.headers[reading.last]
        if reading.last == cursor.block and head.hash != cursor.hash:
            # The watcher steps back, and then looks at what came instead for these checks too.
            raise RpcError("the chain has left a block that was watched", may_retry=True)
        # What the chain's clock says now, which is later than its newest block does.
        present = replace(head, timestamp=(now_ms - cursor.slow_ms) // 1000)
        moment = Moment(now_ms, present, cursor.block, None, {})
        return finder.find(moment, reading)[1]

    def _remember(self, found: Sequence[Finding], cursor: Cursor) -> None:
        """So that a reorg takes them back. A watcher that holds the cursor reads it again."""
        fired: dict[str, list[Fired]] = {}
        for finding in found:
            if finding.kind is Kind.OVERLOAD:
                continue
            where = finding.occurrence
            fired.setdefault(where.block_hash, []).append(
                Fired(
                    finding.check_id,
                    finding.owner,
                    finding.version,
                    where.transaction_hash,
                    where.log_index,
                )
            )
        recent = tuple(
            replace(seen, fired=tuple(dict.fromkeys([*seen.fired, *fired.get(seen.hash, ())])))
            for seen in cursor.recent
        )
        changed = replace(cursor, recent=recent, revision=cursor.revision + 1)
        self._ports.cursors.put(changed, cursor.revision)
