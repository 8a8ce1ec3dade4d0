"""A watcher on a development chain: transfers, a reorg, restarts and a node that fails at times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

from task_engine.clock import SystemClock
from task_engine.evm.failures import RpcError
from task_engine.evm.node import RpcRequest
from task_engine.evm.rpc import Rpc
from task_engine.evm.tokens import TokenService
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import Check, CheckHead, block_check, event_check
from task_engine.operator.findings import Finding, Kind
from task_engine.operator.rules import WatchRules
from task_engine.operator.watch import Watcher, WatchPorts

from tests.chain.rig import Rig, calling, key, word
from tests.fakes.chain import Inbox, MemoryCursors
from tests.unit.operator.samples import TRANSFER, TRANSFER_ABI, where

ALICE, BOB = key("alice").address, key("bob").address
INTERVALS = (2, 5, 7)


class Faulty:
    """Implements RpcPort and Rpcs: one round trip in five fails."""

    def __init__(self, rpc: Rpc, chain_id: int) -> None:
        self._rpc = rpc
        self._random = Random(7)
        self.chain_id = chain_id

    def rpc(self, chain_id: int) -> Faulty:
        assert chain_id == self.chain_id
        return self

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        self._stumble()
        return self._rpc.call(method, *params)

    def batch(
        self, calls: Sequence[RpcRequest], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        self._stumble()
        return self._rpc.batch(calls, until=until)

    def _stumble(self) -> None:
        if self._random.random() < 0.2:
            raise RpcError("connection reset", may_retry=True)


class Watched:
    """Checks on the rig's token and its blocks, from its newest block on."""

    def __init__(self, rig: Rig, *, confirmations: int = 0, max_span: int = 50) -> None:
        self.rig = rig
        node = Faulty(Rpc(Chain(rig.chain_id, rpc_urls=(rig.url,))), rig.chain_id)
        self.cursors, self.inbox = MemoryCursors(), Inbox()
        self.ports = WatchPorts(node, self.cursors, self.inbox, TokenService(node))
        self.rules = WatchRules(confirmations=confirmations, max_span=max_span)
        self.checks = CheckSet(rig.chain_id)
        self.first = self.height() + 1
        self.checks.apply(CheckPage(tuple(self._checks()), (), "1", full=True))
        self.watcher = self.fresh()

    def _checks(self) -> list[Check]:
        # The chain may run ahead of the clock here: whatever it says, this is now.
        since = (self.rig.now() + 16) * 1000
        self.rig.node.call("evm_increaseTime", 100)
        to_bob: dict[str, Any] = {
            "addresses": [self.rig.token],
            "topics": [TRANSFER, None, BOB],
            "contractAbi": [TRANSFER_ABI],
            "conditions": [where("Transfer.value", "gte", "10", "uint256")],
        }
        base = {"chainId": self.rig.chain_id, "cooldownSeconds": 0}
        head = CheckHead("to-bob", ALICE, since_ms=since, wallet=BOB)
        anything = CheckHead("anything", ALICE, since_ms=since)
        return [
            event_check(head, {**base, "queries": [to_bob]}),
            event_check(anything, {**base, "queries": [{"topics": [TRANSFER]}]}),
            *(
                block_check(CheckHead(f"every {n}", ALICE, since_ms=since), {**base, "interval": n})
                for n in INTERVALS
            ),
        ]

    def fresh(self) -> Watcher:
        return Watcher(self.ports, self.checks, self.rules, SystemClock())

    def height(self) -> int:
        return int(self.rig.node.call("eth_blockNumber"), 16)

    def pay(self, amount: int) -> None:
        data = calling("transfer(address,uint256)", word(BOB), word(amount))
        self.rig.send_as(key("alice"), self.rig.token, data)

    def catch_up(self) -> None:
        """Pass after pass until the cursor is at the end, whatever fails on the way."""
        for _ in range(200):
            with suppress(RpcError):
                self.watcher.look()
            cursor = self.cursors.get(self.rig.chain_id)
            if cursor and cursor.block == self.height() - self.rules.confirmations:
                return
        raise AssertionError("the watcher does not come to the end")

    def expected(self) -> set[tuple[str, str]]:
        """By one query per check and block, as the chain is now."""
        chain, node = self.rig.chain_id, self.rig.node
        found: set[tuple[str, str]] = set()
        for number in range(self.first, self.height() + 1 - self.rules.confirmations):
            block = node.call("eth_getBlockByNumber", hex(number), False)
            found |= {
                (f"every {n}", f"{chain}:{block['hash']}") for n in INTERVALS if number % n == 0
            }
            span = {"fromBlock": hex(number), "toBlock": hex(number), "topics": [TRANSFER]}
            for log in node.call("eth_getLogs", span):
                name = ":".join(
                    [block["hash"], log["transactionHash"], str(int(log["logIndex"], 16))]
                )
                found.add(("anything", f"{chain}:{name}"))
                to_bob = log["topics"][2].endswith(BOB[2:].lower())
                if to_bob and int(log["data"], 16) >= 10:
                    found.add(("to-bob", f"{chain}:{name}"))
        return found

    def sent(self) -> dict[tuple[str, str], Finding]:
        return {
            (finding.check_id, finding.occurrence.name): finding
            for finding in self.inbox.findings
            if finding.kind is not Kind.ORPHANED
        }

    def orphaned(self) -> set[tuple[str, str]]:
        return {
            (finding.check_id, finding.occurrence.name)
            for finding in self.inbox.findings
            if finding.kind is Kind.ORPHANED
        }


def test_transfers_are_told_with_what_the_token_is_called(rig: Rig) -> None:
    # Given
    rig.mint(ALICE, 1000)
    watched = Watched(rig)
    # When
    watched.pay(25)
    watched.pay(9)
    watched.catch_up()
    # Then
    assert watched.sent().keys() == watched.expected()
    (to_bob,) = (f for (check, _), f in watched.sent().items() if check == "to-bob")
    assert to_bob.output["tokenName"] == "Test dollar"
    assert to_bob.output["valueFormatted"] == "0.000025"
    assert (to_bob.output["direction"], to_bob.output["walletAddress"]) == ("received", BOB)


def test_blocks_that_a_reorg_exchanges_are_taken_back_and_watched_again(rig: Rig) -> None:
    # Given a chain that is watched to its end
    rig.mint(ALICE, 1000)
    watched = Watched(rig)
    for amount in (10, 20, 30, 40):
        watched.pay(amount)
        watched.catch_up()
    before = watched.sent().keys()
    # When its last three blocks are exchanged, and the watcher dies
    rig.node.call("anvil_reorg", 3, [])
    watched.watcher = watched.fresh()
    watched.catch_up()
    watched.pay(50)
    watched.catch_up()
    # Then everything on the chain was told, and what is not there any more was taken back
    assert watched.expected() <= watched.sent().keys()
    assert watched.orphaned() == before - watched.expected()
    assert watched.orphaned()


def test_nothing_is_missing_after_payments_failures_restarts_and_reorgs(rig: Rig) -> None:
    # Given
    rig.mint(ALICE, 10**6)
    watched, random = Watched(rig, confirmations=1, max_span=4), Random(3)
    # When
    for _ in range(60):
        step = random.random()
        if step < 0.5:
            watched.pay(random.randint(1, 20))
        elif step < 0.6 and watched.height() - watched.first > 4:
            rig.node.call("anvil_reorg", random.randint(1, 3), [])
        elif step < 0.7:
            watched.watcher = watched.fresh()
        with suppress(RpcError):
            watched.watcher.look()
    rig.node.call("anvil_mine", "0x3")
    watched.catch_up()
    # Then
    assert watched.expected() <= watched.sent().keys()
    assert not watched.orphaned() & watched.expected()
