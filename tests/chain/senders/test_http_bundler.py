"""Operations that a bundler service sends, by a service that can misbehave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.bundler_estimate import BundlerEstimator, tightened
from task_engine.evm.rpc import Rpc
from task_engine.evm.senders.failures import (
    BundlerUnavailable,
    CallWouldRevert,
    OperationRefused,
    VerificationLimitTooHigh,
)
from task_engine.evm.senders.http_bundler import HttpBundler
from task_engine.evm.senders.ports import Outcome
from task_engine.evm.user_operation import UserOperation
from task_engine.model.chain import Chain
from task_engine.model.operation import OperationStatus

from tests.chain.senders.world import (
    CHAIN_ID,
    GWEI,
    ChainWorld,
    Died,
    Kept,
    Mortal,
    Wallet,
    selector,
)
from tests.servers.bundler_server import BundlerServer, Refusal

REFUSED_PORT = "http://127.0.0.1:9"


class BundlerWorld:
    """A service, and what a process that uses it has kept."""

    def __init__(self, world: ChainWorld, counter: Address, server: BundlerServer) -> None:
        self.world = world
        self.counter = counter
        self.server = server
        self.url = server.url
        self.kept = Kept()
        self.wallet: Wallet = world.wallet()
        self.op: UserOperation = world.counting(self.wallet, counter)

    @property
    def rpc(self) -> Rpc:
        chain = Chain(CHAIN_ID, (self.url,))
        return Rpc(chain, sleep=lambda _: None, timeout_seconds=5, check_chain=False)

    def sender(self, **more: int) -> HttpBundler:
        return HttpBundler(self.world.rpc, self.rpc, self.world.entry_point, **more)

    def send(self, op: UserOperation | None = None) -> Outcome:
        return self.sender().send(op or self.op, self.kept.record, self.kept.save)

    def on_chain(self) -> int:
        return len(self.world.events(self.wallet))


@pytest.fixture
def bundler(world: ChainWorld, counter: Address) -> Iterator[BundlerWorld]:
    with BundlerServer(world.url, CHAIN_ID) as server:
        yield BundlerWorld(world, counter, server)


def settle(bundler: BundlerWorld) -> Outcome:
    for _ in range(12):
        outcome = bundler.send()
        if outcome.status.final:
            return outcome
        bundler.world.mine()
    raise AssertionError(f"not settled: {outcome.status} {outcome.reason}")


def test_an_operation_is_carried_and_its_receipt_read_from_the_chain(
    bundler: BundlerWorld,
) -> None:
    first = bundler.send()
    assert (first.status, bundler.kept.saves) == (OperationStatus.SENT, 1)
    assert first.record.attempts == ()
    done = settle(bundler)
    assert done.status is OperationStatus.CONFIRMED
    assert done.receipt is not None
    assert done.receipt.tx_hash == bundler.server.sent[done.record.user_op_hash]
    assert bundler.server.asked["eth_sendUserOperation"] == 1
    assert bundler.on_chain() == bundler.world.count_of(bundler.counter, bundler.wallet) == 1


def test_pending_is_neither_failed_nor_sent_twice(bundler: BundlerWorld) -> None:
    bundler.server.holding = True
    for _ in range(3):
        assert bundler.send().status is OperationStatus.SENT
    assert bundler.server.asked["eth_sendUserOperation"] == 1
    bundler.server.release()
    assert settle(bundler).status is OperationStatus.CONFIRMED
    assert bundler.on_chain() == 1


def test_a_receipt_that_the_service_is_late_with_is_on_the_chain_already(
    bundler: BundlerWorld,
) -> None:
    bundler.server.telling = False
    bundler.send()
    assert settle(bundler).status is OperationStatus.CONFIRMED


def test_a_service_that_lies_about_a_receipt_is_not_believed(bundler: BundlerWorld) -> None:
    bundler.server.holding = bundler.server.lying = True
    record = bundler.send().record
    seen = bundler.sender().look(bundler.op, record)
    assert (seen.status, seen.reason) == (OperationStatus.SENT, "waiting for its receipt")


def test_confirmations_are_waited_for(bundler: BundlerWorld) -> None:
    bundler.send()
    bundler.world.mine()
    record = bundler.kept.record
    assert record is not None
    seen = bundler.sender(confirmations=5).look(bundler.op, record)
    assert (seen.status, seen.reason) == (OperationStatus.SENT, "waiting for confirmations")
    bundler.world.mine(6)
    late = bundler.sender(confirmations=5).look(bundler.op, record)
    assert late.status is OperationStatus.CONFIRMED


def test_what_the_service_forgot_is_sent_again(bundler: BundlerWorld) -> None:
    bundler.server.holding = True
    bundler.send()
    bundler.server.forget()
    bundler.server.holding = False
    assert bundler.send().status is OperationStatus.SENT
    assert settle(bundler).status is OperationStatus.CONFIRMED
    assert (bundler.server.asked["eth_sendUserOperation"], bundler.on_chain()) == (2, 1)


def test_a_service_that_is_down_delays_only(bundler: BundlerWorld) -> None:
    alive, bundler.url = bundler.url, REFUSED_PORT
    for status in (OperationStatus.PREPARED, OperationStatus.SENT):
        outcome = bundler.send()
        assert outcome.status is status
        assert outcome.reason == "the bundler service is unavailable"
    bundler.url = alive
    assert settle(bundler).status is OperationStatus.CONFIRMED
    assert bundler.on_chain() == 1


def test_what_is_on_chain_is_seen_while_the_service_is_down(bundler: BundlerWorld) -> None:
    bundler.send()
    bundler.url = REFUSED_PORT
    assert settle(bundler).status is OperationStatus.CONFIRMED


@pytest.mark.parametrize("after", [False, True])
def test_whenever_the_process_dies_there_is_one_operation(
    bundler: BundlerWorld, after: bool
) -> None:
    mortal = Mortal(bundler.rpc, "eth_sendUserOperation", after)
    sender = HttpBundler(bundler.world.rpc, mortal, bundler.world.entry_point)
    with pytest.raises(Died):
        sender.send(bundler.op, None, bundler.kept.save)
    assert bundler.kept.record is not None
    assert settle(bundler).status is OperationStatus.CONFIRMED
    assert bundler.on_chain() == 1


def test_an_operation_is_found_although_everything_kept_was_lost(bundler: BundlerWorld) -> None:
    settle(bundler)
    bundler.kept = Kept()
    assert bundler.send().status is OperationStatus.CONFIRMED
    assert bundler.on_chain() == 1


REFUSALS = [
    ("AA21 didn't pay prefund", "AA21", "INSUFFICIENT_BALANCE", False),
    (
        "UserOperation reverted with reason: AA20 account not deployed",
        "AA20",
        "SMART_WALLET_NOT_FOUND",
        False,
    ),
    ("AA23 reverted: 0x08c379a0", "AA23", "SMART_WALLET_RPC_ERROR", False),
    ("AA25 invalid account nonce", "AA25", "SMART_WALLET_RPC_ERROR", True),
    ("AA31 paymaster deposit too low", "AA31", "INSUFFICIENT_CREDIT", False),
    ("banned opcode " + "x" * 500, "", "SMART_WALLET_RPC_ERROR", False),
]


@pytest.mark.parametrize(("message", "aa", "code", "may_retry"), REFUSALS)
def test_a_refusal_says_in_words_what_is_wrong(
    bundler: BundlerWorld, message: str, aa: str, code: str, may_retry: bool
) -> None:
    bundler.server.refusals = [Refusal(-32500, message)]
    with pytest.raises(OperationRefused, match=aa or "banned opcode") as caught:
        bundler.send()
    assert (caught.value.aa, caught.value.stable_code) == (aa, code)
    assert caught.value.may_retry is may_retry
    assert len(caught.value.message) < 260
    assert bundler.on_chain() == 0


def test_an_operation_that_the_service_refuses_later_is_dropped(bundler: BundlerWorld) -> None:
    bundler.server.holding = True
    bundler.send()
    bundler.server.forget()
    bundler.server.refusals = [Refusal(-32500, "AA21 didn't pay prefund")]
    seen = bundler.send()
    assert seen.status is OperationStatus.DROPPED
    assert isinstance(seen.error, OperationRefused)


def test_another_operation_with_its_nonce_is_told_apart(bundler: BundlerWorld) -> None:
    bundler.server.holding = True
    record = bundler.send().record
    bundler.server.forget()
    world = bundler.world
    nonce = bundler.op.nonce
    draft = world.draft(bundler.wallet, bundler.counter, selector("deposit()"))
    other = world.estimated(UserOperation.from_wire({**draft.wire(), "nonce": hex(nonce)}))
    done = Kept().settle(world, world.signed(bundler.wallet, other))
    seen = bundler.send()
    assert seen.status is OperationStatus.DROPPED
    assert seen.replaced_by == done.record.user_op_hash != record.user_op_hash


def estimator(bundler: BundlerWorld) -> BundlerEstimator:
    return BundlerEstimator(bundler.world.rpc, bundler.rpc, bundler.world.entry_point)


def test_limits_and_least_prices_are_the_services(bundler: BundlerWorld) -> None:
    world = bundler.world
    draft = world.draft(bundler.wallet, bundler.counter, selector("increment()"))
    op = estimator(bundler).estimate(draft)
    assert op.verification_gas_limit == 400_000
    assert (op.call_gas_limit, op.pre_verification_gas) == (150_000, 60_000)
    assert op.max_priority_fee_per_gas >= 2 * GWEI
    assert op.max_fee_per_gas >= 3 * GWEI
    bundler.op = world.signed(bundler.wallet, op)
    assert settle(bundler).status is OperationStatus.CONFIRMED


def test_a_call_that_reverts_is_told_by_the_estimate(bundler: BundlerWorld) -> None:
    bundler.server.refusals = [Refusal(-32521, "execution reverted")]
    with pytest.raises(CallWouldRevert):
        estimator(bundler).estimate(bundler.op)


def test_an_estimate_without_the_service_may_be_tried_again(bundler: BundlerWorld) -> None:
    bundler.url = REFUSED_PORT
    with pytest.raises(BundlerUnavailable) as caught:
        estimator(bundler).estimate(bundler.op)
    assert caught.value.may_retry


def test_a_poor_wallet_is_refused_before_the_service_is_asked(bundler: BundlerWorld) -> None:
    world = bundler.world
    draft = world.draft(world.wallet(wei=0), bundler.counter, selector("increment()"))
    with pytest.raises(NodeError, match="fund it"):
        estimator(bundler).estimate(draft)
    assert sum(bundler.server.asked.values()) == 0


def test_a_limit_far_above_the_truth_is_brought_down(bundler: BundlerWorld) -> None:
    text = "Verification gas limit efficiency too low. Required: 0.4, Actual: 0.15"
    bundler.server.refusals = [Refusal(-32602, text)]
    with pytest.raises(VerificationLimitTooHigh) as caught:
        bundler.send()
    before = bundler.op.verification_gas_limit
    assert tightened(bundler.op, caught.value.used).verification_gas_limit == before * 15 // 75
