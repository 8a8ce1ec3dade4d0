"""A chain with one watcher."""

from __future__ import annotations

from typing import Any

from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import Check
from task_engine.operator.findings import Finding, Kind
from task_engine.operator.rules import WatchRules
from task_engine.operator.watch import Look, Watcher, WatchPorts

from tests.fakes.chain import Emitted, FakeChain, FakeTokens, Inbox, MemoryCursors
from tests.fakes.clock import FakeClock
from tests.unit.operator.samples import CHAIN, TRANSFER, address_topic, word


class Watched:
    """Everything a watcher needs, in memory."""

    def __init__(self, *checks: Check, **rules: Any) -> None:
        self.clock = FakeClock()
        self.chain = FakeChain(self.clock, CHAIN)
        self.cursors = MemoryCursors()
        self.inbox = Inbox()
        self.tokens = FakeTokens()
        self.checks = CheckSet(CHAIN)
        self.rules = WatchRules(**rules)
        self.set_checks(*checks)
        self.watcher = self.fresh()

    def set_checks(self, *checks: Check) -> None:
        self.checks.apply(CheckPage(checks, (), "1", full=True))

    def fresh(self) -> Watcher:
        """As a process that starts: it knows what is stored."""
        ports = WatchPorts(self.chain, self.cursors, self.inbox, self.tokens)
        return Watcher(ports, self.checks, self.rules, self.clock)

    def look(self) -> Look:
        return self.watcher.look()

    def catch_up(self) -> list[Look]:
        looks = [self.look()]
        while looks[-1].behind:
            looks.append(self.look())
        return looks

    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.chain.mine()

    def sent(self, kind: Kind) -> list[Finding]:
        return [finding for finding in self.inbox.findings if finding.kind is kind]

    def numbers(self, check_id: str, kind: Kind = Kind.BLOCK) -> list[int]:
        found = (finding for finding in self.sent(kind) if finding.check_id == check_id)
        return [finding.occurrence.block_number for finding in found]


def emitted_transfer(token: str, sender: str, to: str, value: int) -> Emitted:
    topics = (TRANSFER, address_topic(sender), address_topic(to))
    return Emitted(token, topics, word(value))
