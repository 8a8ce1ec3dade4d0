"""Watching a chain that fails, reorganises and is watched by processes that die."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from task_engine.errors import Unavailable
from task_engine.evm.failures import RpcError
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import Check
from task_engine.operator.findings import Finding, Kind
from task_engine.operator.rules import WatchRules
from task_engine.operator.watch import Watcher, WatchPorts

from tests.fakes.chain import Emitted, FakeChain, FakeTokens, Inbox, MemoryCursors, takes
from tests.fakes.clock import FakeClock
from tests.unit.operator.samples import CHAIN, watch_blocks, watch_events, word

ADDRESSES = ["0x" + digit * 40 for digit in "123"]
TOPICS = [word(number) for number in range(3)]
QUERIES: list[dict[str, Any]] = [
    {"addresses": [ADDRESSES[0]], "topics": [TOPICS[0]]},
    {"addresses": [], "topics": [TOPICS[1], None, TOPICS[2]]},
    {"addresses": ADDRESSES[:2], "topics": []},
    {"addresses": [], "topics": ["", TOPICS[0]]},
]
INTERVALS = (2, 3, 7)


class World:
    """A chain, its checks, and watchers that come and go."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = FakeClock()
        self.chain = FakeChain(self.clock, CHAIN)
        self.cursors = MemoryCursors()
        self.inbox = Inbox()
        self.rules = WatchRules(
            confirmations=self.random.choice([0, 0, 2]),
            max_span=self.random.choice([1, 3, 50]),
            max_firings=10**6,
            first_look_back_ms=10**9,
        )
        self.checks = self._some_checks()
        self.chain.max_logs = self.random.choice([2, 5, 10**9])
        self.watchers = [self.fresh(), self.fresh()]

    def _some_checks(self) -> list[Check]:
        chosen = self.random.sample(QUERIES, self.random.randint(1, len(QUERIES)))
        checks: list[Check] = [watch_events(f"e{i}", query) for i, query in enumerate(chosen)]
        self.queries = {f"e{i}": query for i, query in enumerate(chosen)}
        return checks + [watch_blocks(f"b{i}", i) for i in INTERVALS]

    def fresh(self) -> Watcher:
        checks = CheckSet(CHAIN)
        checks.apply(CheckPage(tuple(self.checks), (), "1", full=True))
        ports = WatchPorts(self.chain, self.cursors, self.inbox, FakeTokens())
        return Watcher(ports, checks, self.rules, self.clock)

    def mine(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.chain.mine(
                *(
                    Emitted(
                        self.random.choice(ADDRESSES),
                        tuple(self.random.choices(TOPICS, k=self.random.randint(0, 4))),
                    )
                    for _ in range(self.random.randint(0, 4))
                )
            )

    def reorg(self) -> None:
        depth = self.random.randint(1, 6)
        self.chain.reorg(depth)
        for _ in range(self.random.randint(0, depth + 1)):
            self.mine()

    def look(self) -> None:
        """One pass by one of two processes, either of which may have been started anew."""
        place = self.random.randrange(2)
        if self.random.random() < 0.3:
            self.watchers[place] = self.fresh()
        with suppress(RpcError, Unavailable):
            self.watchers[place].look()

    def troubled(self) -> None:
        def trip() -> None:
            if self.random.random() < 0.2:
                raise RpcError("connection reset", may_retry=True)

        def call(_method: str) -> None:
            if self.random.random() < 0.03:
                self.chain.reorg(self.random.randint(1, 3))
                self.mine()

        def send(_finding: Finding) -> None:
            if self.random.random() < 0.05:
                raise Unavailable("the queue is away")

        self.chain.before_trip, self.chain.before_call, self.inbox.before = trip, call, send

    def calm(self) -> None:
        self.chain.before_trip = lambda: None
        self.chain.before_call = lambda _method: None
        self.inbox.before = lambda _finding: None

    def outgrow(self) -> None:
        """The chain goes on, above every block there ever was: as chains do after a reorg."""
        for _ in range(self.chain.highest + 2 + self.rules.confirmations - len(self.chain.blocks)):
            self.chain.mine()

    def expected(self) -> set[tuple[str, str]]:
        """What each check alone sees on the chain as it is now: (check, occurrence)."""
        found: set[tuple[str, str]] = set()
        watched = len(self.chain.blocks) - self.rules.confirmations
        for block in self.chain.blocks[: max(0, watched)]:
            name = f"{CHAIN}:{block.hash}"
            found |= {(f"b{i}", name) for i in INTERVALS if block.number % i == 0}
            for log in block.logs:
                of_log = f"{name}:{log['transactionHash']}:{int(str(log['logIndex']), 16)}"
                found |= {
                    (check, of_log) for check, query in self.queries.items() if _takes(query, log)
                }
        return found


def _takes(query: dict[str, Any], log: dict[str, Any]) -> bool:
    wanted: dict[str, Any] = {"topics": [[t] if t else None for t in query["topics"]]}
    if query["addresses"]:
        wanted["address"] = query["addresses"]
    return takes(wanted, log)


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32))
def test_watch_when_everything_goes_wrong_then_nothing_of_the_final_chain_is_missing(
    seed: int,
) -> None:
    world = World(seed)
    world.troubled()
    for _ in range(40):
        step = world.random.choices([world.mine, world.reorg, world.look], weights=[3, 1, 5], k=1)[
            0
        ]
        step()
    world.calm()
    world.outgrow()
    # Two watchers in turns: whoever finds that the other one was there makes no way that time.
    for _ in range(3 * len(world.chain.blocks) + 20):
        world.look()

    sent: dict[tuple[str, str], set[str]] = defaultdict(set)
    orphaned: set[tuple[str, str]] = set()
    for finding in world.inbox.findings:
        key = (finding.check_id, finding.occurrence.name)
        if finding.kind is Kind.ORPHANED:
            orphaned.add(key)
        else:
            sent[key].add(repr(finding))
    assert world.expected() <= sent.keys()
    assert orphaned <= sent.keys()
    assert not orphaned & world.expected()
    assert all(len(forms) == 1 for forms in sent.values()), "the same occurrence, told differently"


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32))
def test_watch_when_only_reorgs_happen_then_each_is_told_once_and_taken_back(seed: int) -> None:
    world = World(seed)
    watcher = world.fresh()
    for _ in range(25):
        world.random.choice([world.mine, world.mine, world.reorg])()
        # Whatever its span, the watcher comes to the end before the chain goes on.
        for _ in range(60):
            if watcher.look().behind == 0:
                break
    world.outgrow()
    for _ in range(len(world.chain.blocks) + 10):
        watcher.look()

    fired = [f for f in world.inbox.findings if f.kind is not Kind.ORPHANED]
    keys = [(finding.check_id, finding.occurrence.name) for finding in fired]
    taken_back = {
        (f.check_id, f.occurrence.name) for f in world.inbox.findings if f.kind is Kind.ORPHANED
    }
    assert set(keys) - taken_back == world.expected()
