"""Nodes that lose answers or know fewer methods, and many processes with one key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from task_engine.evm.address import Address
from task_engine.evm.estimate import SelfEstimator
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.chain_search import ChainSearch
from task_engine.evm.senders.failures import CallWouldRevert
from task_engine.evm.senders.self_bundler import SelfBundler
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import OperationStatus

from tests.chain.senders.world import ChainWorld, Kept, selector

Instead: TypeAlias = "Callable[[str, Sequence[JsonValue]], JsonValue | RpcError]"


@dataclass
class PoorNode:
    """The real one, where `instead` has no answer; `late`: what it answers is done all the same."""

    rpc: RpcPort
    instead: Instead
    late: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def chain_id(self) -> int:
        return self.rpc.chain_id

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        (answer,) = self.batch([(method, list(params))])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        self.asked += [method for method, _ in calls]
        other = [self.instead(method, params) for method, params in calls]
        answers = self.rpc.batch(
            [
                call if self.late or given is None else ("eth_chainId", [])
                for call, given in zip(calls, other, strict=True)
            ]
        )
        return [given or answer for given, answer in zip(other, answers, strict=True)]


def without(*names: str) -> Instead:
    """A node that does not know those methods."""
    return lambda method, _: (
        RpcError("method not found", rpc_code=-32601) if method in names else None
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_send_whose_answer_is_lost_is_not_taken_for_a_failure(
    world: ChainWorld, counter: Address, late: bool
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    lost = RpcError("timed out", may_retry=True)
    node = PoorNode(world.rpc, lambda m, _: lost if m == "eth_sendRawTransaction" else None, late)
    outcome = world.sender(node).send(op, None, kept.save)
    assert (outcome.status, outcome.reason) == (OperationStatus.PREPARED, "timed out")
    assert kept.settle(world, op).status is OperationStatus.CONFIRMED
    assert (world.transactions(), len(world.events(wallet)), kept.saves) == (1, 1, 1)


def test_a_node_that_can_not_simulate_has_limits_that_are_enough(
    world: ChainWorld, counter: Address
) -> None:
    wallet = world.wallet()
    node = PoorNode(world.rpc, without("eth_simulateV1"))
    for _ in range(2):  # before and after the wallet's deployment
        estimator = SelfEstimator(node, world.entry_point)
        op = estimator.estimate(world.draft(wallet, counter, selector("increment()")))
        done = Kept().settle(world, world.signed(wallet, op))
        assert done.status is OperationStatus.CONFIRMED
    with pytest.raises(CallWouldRevert, match="not today"):
        estimator.estimate(world.draft(wallet, counter, selector("refuseWithText()")))


def test_a_node_without_a_tip_to_suggest_gets_none(world: ChainWorld, counter: Address) -> None:
    node = PoorNode(world.rpc, without("eth_maxPriorityFeePerGas"))
    draft = world.draft(world.wallet(), counter, selector("increment()"))
    op = SelfEstimator(node, world.entry_point).estimate(draft)
    assert op.max_priority_fee_per_gas == 0
    assert op.max_fee_per_gas > 0


def test_a_node_that_refuses_long_ranges_is_asked_for_short_ones(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        record = kept.send(world, op).record
        world.node.call("anvil_dropTransaction", record.newest.hash)
        stranger = world.node.call("eth_accounts")[4]
        data = "0x" + world.entry_point.handle_ops_data([op], Address(stranger)).hex()
        asked = {"from": stranger, "to": world.entry_point.address, "data": data, "gas": "0x200000"}
        world.node.call("eth_sendTransaction", asked)
        world.mine(80)

    def short_only(method: str, params: Sequence[JsonValue]) -> RpcError | None:
        if method != "eth_getLogs":
            return None
        assert isinstance(params[0], dict)
        last = str(params[0]["toBlock"])
        if last != "latest" and int(last, 16) - int(str(params[0]["fromBlock"]), 16) < 20:
            return None
        return RpcError("query returned more than 10000 results", rpc_code=-32005)

    node = PoorNode(world.rpc, short_only)
    search = ChainSearch(node, world.entry_point, confirmations=0, window=20)
    found = search.outcome(search.see(op, record), record)
    assert found is not None
    assert found.status is OperationStatus.CONFIRMED
    assert node.asked.count("eth_getLogs") >= 4


def test_a_nonce_that_another_transaction_waits_with_is_given_up_after_a_while(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)

    def another_waits(method: str, params: Sequence[JsonValue]) -> JsonValue | RpcError:
        pending = method == "eth_getTransactionCount" and params[1] == "pending"
        return hex(1) if pending else None

    node = PoorNode(world.rpc, another_waits)
    with world.holding_back():
        first = kept.send(world, op).record
        world.node.call("anvil_dropTransaction", first.newest.hash)
        assert world.sender(node).send(op, kept.record, kept.save).record == first
        world.node.call("anvil_dropTransaction", first.newest.hash)
        world.mine(3)
        second = world.sender(node).send(op, kept.record, kept.save).record
    assert [attempt.nonce for attempt in second.attempts] == [0, 1]


class WaitingLease:
    """A KeyLease that waits for its turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, name: str, seconds: int) -> Iterator[None]:
        with self._lock:
            yield


class ExpiredLease:
    """A KeyLease that holds nobody back."""

    @contextmanager
    def hold(self, name: str, seconds: int) -> Iterator[None]:
        yield


def test_many_processes_with_one_key_use_each_nonce_once(
    world: ChainWorld, counter: Address
) -> None:
    lease = WaitingLease()
    wallets = [world.wallet() for _ in range(12)]
    ops = [world.counting(wallet, counter) for wallet in wallets]
    kept = [Kept() for _ in ops]

    def send(place: int) -> None:
        sender = SelfBundler(world.rpc, world.entry_point, world.bundler, lease)
        sender.send(ops[place], None, kept[place].save)

    with world.holding_back():
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(send, range(len(ops))))
        world.mine()
    nonces = sorted(one.record.newest.nonce for one in kept if one.record)
    assert nonces == list(range(12))
    for one, op, wallet in zip(kept, ops, wallets, strict=True):
        assert one.settle(world, op).status is OperationStatus.CONFIRMED
        assert len(world.events(wallet)) == 1
    assert world.transactions() == 12


def test_processes_that_outlive_their_lease_still_make_one_operation(
    world: ChainWorld, counter: Address
) -> None:
    wallet = world.wallet()
    op = world.counting(wallet, counter)
    kept = [Kept() for _ in range(4)]

    def send(place: int) -> None:
        sender = SelfBundler(world.rpc, world.entry_point, world.bundler, ExpiredLease())
        sender.send(op, None, kept[place].save)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    for one in kept:
        assert one.settle(world, op).status is OperationStatus.CONFIRMED
    assert len(world.events(wallet)) == world.count_of(counter, wallet) == 1
