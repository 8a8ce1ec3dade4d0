"""Operations that our own account sends, on a real node."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.errors import NodeError
from task_engine.evm import encoding
from task_engine.evm.address import Address
from task_engine.evm.senders.failures import CallWouldRevert, OperationRefused, SenderUnfunded
from task_engine.evm.senders.ports import SenderBusy
from task_engine.evm.transaction import Transaction, sign_transaction
from task_engine.model.operation import OperationStatus

from tests.chain.senders.world import CHAIN_ID, GWEI, ChainWorld, Died, Kept, Mortal, selector


@pytest.mark.parametrize("version", ["0.7", "0.8"])
def test_an_operation_deploys_its_wallet_and_pays_its_sender_back(
    world: ChainWorld, counter: Address, version: str
) -> None:
    world.version = version
    wallet, before = world.wallet(), world.balance(world.bundler.address)
    op, kept = world.counting(wallet, counter), Kept()
    first = kept.send(world, op)
    assert (first.status is not OperationStatus.DROPPED, kept.saves) == (True, 1)
    done = kept.settle(world, op)
    assert done.status is OperationStatus.CONFIRMED
    assert done.receipt is not None
    assert done.receipt.tx_hash == first.record.newest.hash
    assert done.receipt.sender == wallet.address
    assert done.receipt.nonce == op.nonce
    assert [log["address"] for log in done.receipt.logs] == [counter.lower()]
    assert world.count_of(counter, wallet) == 1
    assert done.receipt.actual_gas_cost > 0
    assert world.balance(world.bundler.address) >= before


def test_a_second_operation_needs_no_deployment(world: ChainWorld, counter: Address) -> None:
    wallet = world.wallet()
    world.deploy(wallet, counter)
    op, before = world.counting(wallet, counter), world.balance(world.bundler.address)
    assert op.factory is None
    assert Kept().settle(world, op).status is OperationStatus.CONFIRMED
    assert world.count_of(counter, wallet) == 2
    assert world.balance(world.bundler.address) >= before


def test_a_call_that_reverts_only_on_chain_is_a_failure_with_its_reason(
    world: ChainWorld, counter: Address
) -> None:
    wallet = world.wallet()
    world.deploy(wallet, counter)
    good = world.counting(wallet, counter)
    bad = world.draft(wallet, counter, selector("refuseWithText()"))
    op = world.signed(wallet, replace(good, call_data=bad.call_data, nonce=bad.nonce))
    done = Kept().settle(world, op)
    assert done.status is OperationStatus.FAILED
    assert done.receipt is not None
    assert done.receipt.revert_reason.startswith(selector("Error(string)"))
    assert b"not today" in done.receipt.revert_reason
    assert done.receipt.logs == ()
    assert done.receipt.transaction["status"] == "0x1"


def test_a_call_that_reverts_now_is_found_before_sending(
    world: ChainWorld, counter: Address
) -> None:
    wallet = world.wallet()
    for _ in range(2):  # before and after the wallet's deployment
        with pytest.raises(CallWouldRevert, match="the call would revert: not today") as caught:
            world.operation(wallet, counter, selector("refuseWithText()"))
        assert caught.value.data.startswith(selector("Error(string)"))
        with pytest.raises(CallWouldRevert) as custom:
            world.operation(wallet, counter, selector("add(uint256)") + encoding.number(10**6))
        assert custom.value.data.startswith(selector("TooMuch(uint256,uint256)"))
        world.deploy(wallet, counter)


def test_a_wrong_signature_is_refused_before_sending(world: ChainWorld, counter: Address) -> None:
    wallet, other, kept = world.wallet(), world.wallet(), Kept()
    op = world.signed(other, world.counting(wallet, counter))
    with pytest.raises(OperationRefused, match="AA24") as caught:
        kept.send(world, op)
    assert (caught.value.aa, caught.value.may_retry) == ("AA24", False)
    assert (kept.saves, world.transactions(), world.events(wallet)) == (0, 0, [])
    assert world.leases.held == set()


def test_a_wallet_without_money_is_told_to_be_funded(world: ChainWorld, counter: Address) -> None:
    with pytest.raises(NodeError, match="fund it") as caught:
        world.counting(world.wallet(wei=0), counter)
    assert caught.value.stable_code == "INSUFFICIENT_BALANCE"
    with pytest.raises(NodeError, match="has 1000 wei for gas") as poor:
        world.counting(world.wallet(wei=1000), counter)
    assert poor.value.stable_code == "INSUFFICIENT_BALANCE"


def test_money_that_went_away_since_is_noticed_before_sending(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    world.node.call("anvil_setBalance", wallet.address, "0x0")
    with pytest.raises(OperationRefused, match="not enough of the chain's currency") as caught:
        kept.send(world, op)
    assert (caught.value.stable_code, kept.saves) == ("INSUFFICIENT_BALANCE", 0)


def test_a_sending_account_without_money_is_the_deployments_matter(
    world: ChainWorld, counter: Address
) -> None:
    op, kept = world.counting(world.wallet(), counter), Kept()
    world.bundler = world.funded_key(wei=1)
    with pytest.raises(SenderUnfunded, match="has 1 wei") as caught:
        kept.send(world, op)
    assert (caught.value.may_retry, kept.saves) == (True, 0)


DEATHS = [
    ("eth_call", False),
    ("eth_call", True),
    ("eth_sendRawTransaction", False),
    ("eth_sendRawTransaction", True),
]


@pytest.mark.parametrize(("method", "after"), DEATHS)
@pytest.mark.parametrize("mining", [True, False])
def test_whenever_the_process_dies_there_is_one_operation(
    world: ChainWorld, counter: Address, method: str, after: bool, mining: bool
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    mortal = Mortal(world.rpc, method, after)

    def die() -> None:
        with pytest.raises(Died):
            world.sender(mortal).send(op, kept.record, kept.save)
        world.leases.forget()

    if mining:
        die()
    else:
        with world.holding_back():
            die()
            kept.send(world, op)
            kept.send(world, op)
    assert kept.settle(world, op).status is OperationStatus.CONFIRMED
    assert kept.send(world, op).status is OperationStatus.CONFIRMED
    assert len(world.events(wallet)) == world.count_of(counter, wallet) == 1
    assert world.transactions() == 1


def test_nothing_is_sent_when_it_can_not_be_saved(world: ChainWorld, counter: Address) -> None:
    wallet, mortal = world.wallet(), Mortal(world.rpc)
    op = world.counting(wallet, counter)

    def fail(record: object) -> None:
        raise Died

    with pytest.raises(Died):
        world.sender(mortal).send(op, None, fail)
    world.leases.forget()
    assert mortal.sent == []
    assert Kept().settle(world, op).status is OperationStatus.CONFIRMED
    assert (world.transactions(), len(world.events(wallet))) == (1, 1)


def test_an_operation_is_found_although_everything_kept_was_lost(
    world: ChainWorld, counter: Address
) -> None:
    wallet = world.wallet()
    op = world.counting(wallet, counter)
    assert Kept().settle(world, op).status is OperationStatus.CONFIRMED
    again = Kept().send(world, op)
    assert again.status is OperationStatus.CONFIRMED
    assert (world.transactions(), len(world.events(wallet))) == (1, 1)


def test_lost_while_pending_costs_a_transaction_but_no_second_operation(
    world: ChainWorld, counter: Address
) -> None:
    wallet = world.wallet()
    op = world.counting(wallet, counter)
    with world.holding_back():
        Kept().send(world, op)
        kept = Kept()
        kept.send(world, op)
        world.mine()
    assert kept.settle(world, op).status is OperationStatus.CONFIRMED
    assert len(world.events(wallet)) == world.count_of(counter, wallet) == 1


def test_a_transaction_that_the_node_forgot_is_sent_again_as_it_was(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        first = kept.send(world, op)
        world.node.call("anvil_dropTransaction", first.record.newest.hash)
        mortal = Mortal(world.rpc)
        again = world.sender(mortal).send(op, kept.record, kept.save)
        assert again.record == first.record
        assert mortal.sent == [first.record.newest.raw]
        assert world.sender(mortal).send(op, kept.record, kept.save).status is OperationStatus.SENT
        assert len(mortal.sent) == 1
        world.mine()
    assert kept.settle(world, op).receipt is not None
    assert (world.transactions(), len(world.events(wallet)), kept.saves) == (1, 1, 1)


def test_a_reorganised_block_brings_it_back_to_under_way(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    world.deploy(wallet, counter)
    op = world.counting(wallet, counter)
    with world.holding_back():
        kept.send(world, op, confirmations=3)
        world.mine(2)
        seen = kept.send(world, op, confirmations=3)
        assert (seen.status, seen.reason) == (OperationStatus.SENT, "waiting for confirmations")
        assert len(world.events(wallet)) == 2
        world.node.call("anvil_reorg", 2, [])
        assert len(world.events(wallet)) == 1
        assert kept.send(world, op, confirmations=3).reason == ""
        world.mine()
    done = kept.settle(world, op, confirmations=3)
    assert done.status is OperationStatus.CONFIRMED
    assert len(world.events(wallet)) == world.count_of(counter, wallet) == 2


def test_a_stuck_transaction_is_replaced_by_one_that_pays_an_eighth_more(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        first = kept.send(world, op).record.newest
        for _ in range(3):
            world.node.call("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
            world.mine()
        assert world.events(wallet) == []
        second = kept.send(world, op).record
        newest = second.newest
        assert (newest.nonce, len(second.attempts)) == (first.nonce, 2)
        assert newest.max_fee * 8 >= first.max_fee * 9
        assert newest.priority_fee * 8 >= first.priority_fee * 9
        assert kept.send(world, op).record == second
        world.node.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        world.mine()
    done = kept.settle(world, op)
    assert done.receipt is not None
    assert done.receipt.tx_hash == newest.hash
    assert (world.transactions(), len(world.events(wallet))) == (1, 1)


def test_a_process_that_dies_replacing_goes_on_with_the_replacement(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        kept.send(world, op)
        for _ in range(3):
            world.node.call("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
            world.mine()
        mortal = Mortal(world.rpc, "eth_sendRawTransaction")
        with pytest.raises(Died):
            world.sender(mortal).send(op, kept.record, kept.save)
        world.leases.forget()
        assert kept.record is not None
        assert len(kept.record.attempts) == 2
        again = kept.send(world, op)
        assert (again.status, again.record) == (OperationStatus.SENT, kept.record)
        world.node.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        world.mine()
    done = kept.settle(world, op)
    assert done.receipt is not None
    assert done.receipt.tx_hash == kept.record.newest.hash
    assert (world.transactions(), len(world.events(wallet))) == (1, 1)


def other_transaction(world: ChainWorld, nonce: int) -> str:
    """Of the sending account, to somewhere else."""
    target = Address("0x" + "77" * 20)
    transaction = Transaction(CHAIN_ID, nonce, target, b"", 21_000, 50 * GWEI, 2 * GWEI, 1)
    return "0x" + sign_transaction(transaction, world.bundler).raw.hex()


def test_a_nonce_that_another_transaction_used_means_a_new_one(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        first = kept.send(world, op).record
        world.node.call("anvil_dropTransaction", first.newest.hash)
        world.node.call("eth_sendRawTransaction", other_transaction(world, first.newest.nonce))
        world.mine()
        # The newest block alone is no proof.
        assert kept.send(world, op).record == first
        world.mine()
        second = kept.send(world, op).record
        assert second.newest.nonce == first.newest.nonce + 1
        assert second.hashes[0] == first.newest.hash
        world.mine()
    assert kept.settle(world, op).status is OperationStatus.CONFIRMED
    assert (world.transactions(), len(world.events(wallet))) == (2, 1)


def test_a_nonce_that_was_saved_but_never_used_is_given_up_when_taken(
    world: ChainWorld, counter: Address
) -> None:
    one, two = world.wallet(), world.wallet()
    first, second = world.counting(one, counter), world.counting(two, counter)
    kept_first, kept_second = Kept(), Kept()
    mortal = Mortal(world.rpc, "eth_sendRawTransaction")
    with pytest.raises(Died):
        world.sender(mortal).send(first, None, kept_first.save)
    world.leases.forget()
    with world.holding_back():
        kept_second.send(world, second)
        waiting = kept_first.send(world, first)
        assert not waiting.status.final
        world.mine()
    for kept, op, wallet in ((kept_second, second, two), (kept_first, first, one)):
        assert kept.settle(world, op).status is OperationStatus.CONFIRMED
        assert len(world.events(wallet)) == 1
    assert world.transactions() == 2


def test_a_hole_below_is_filled(world: ChainWorld, counter: Address) -> None:
    one, two = world.wallet(), world.wallet()
    first, second = world.counting(one, counter), world.counting(two, counter)
    kept_first, kept_second = Kept(), Kept()
    with world.holding_back():
        lost = kept_first.send(world, first).record.newest
        behind = kept_second.send(world, second).record.newest
        assert behind.nonce == lost.nonce + 1
        world.node.call("anvil_dropTransaction", lost.hash)
        world.mine(3)
        moved = kept_second.send(world, second).record.newest
        assert moved.nonce == lost.nonce
        world.mine()
    assert kept_second.settle(world, second).status is OperationStatus.CONFIRMED
    assert kept_first.settle(world, first).status is OperationStatus.CONFIRMED
    assert (len(world.events(one)), len(world.events(two))) == (1, 1)


def test_an_operation_whose_nonce_another_one_used_is_replaced(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    world.deploy(wallet, counter)
    ours = world.counting(wallet, counter, name="one")
    other = world.operation(wallet, counter, selector("deposit()"), name="one")
    with world.holding_back():
        record = kept.send(world, ours).record
        world.node.call("anvil_dropTransaction", record.newest.hash)
        world.node.call("eth_sendRawTransaction", other_transaction(world, record.newest.nonce))
        world.mine()
    done = Kept().settle(world, other)
    seen = kept.send(world, ours)
    assert seen.status is OperationStatus.DROPPED
    assert seen.replaced_by == done.record.user_op_hash
    assert world.sender().look(ours, record).replaced_by == done.record.user_op_hash
    assert len(world.events(wallet)) == 2


def test_an_operation_that_is_valid_no_more_is_dropped_with_the_reason(
    world: ChainWorld, counter: Address
) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        record = kept.send(world, op).record
        world.node.call("anvil_dropTransaction", record.newest.hash)
        world.node.call("anvil_setBalance", wallet.address, "0x0")
        raw = other_transaction(world, record.newest.nonce)
        world.node.call("eth_sendRawTransaction", raw)
        waiting = kept.send(world, op)
        assert waiting.status is not OperationStatus.DROPPED
        world.mine(2)
    seen = kept.send(world, op)
    assert (seen.status, seen.replaced_by) == (OperationStatus.DROPPED, "")
    assert isinstance(seen.error, OperationRefused)
    assert (seen.error.aa, world.events(wallet)) == ("AA21", [])


def test_someone_elses_transaction_may_carry_it(world: ChainWorld, counter: Address) -> None:
    wallet, kept = world.wallet(), Kept()
    op = world.counting(wallet, counter)
    with world.holding_back():
        record = kept.send(world, op).record
        world.node.call("anvil_dropTransaction", record.newest.hash)
        stranger = world.node.call("eth_accounts")[3]
        data = "0x" + world.entry_point.handle_ops_data([op], Address(stranger)).hex()
        asked = {"from": stranger, "to": world.entry_point.address, "data": data, "gas": "0x200000"}
        sent = world.node.call("eth_sendTransaction", asked)
        world.mine()
    done = kept.send(world, op)
    assert done.status is OperationStatus.CONFIRMED
    assert done.receipt is not None
    assert done.receipt.tx_hash == sent
    assert (world.transactions(), len(world.events(wallet))) == (0, 1)


def test_a_key_in_use_is_told_as_such(world: ChainWorld, counter: Address) -> None:
    op, kept = world.counting(world.wallet(), counter), Kept()
    world.leases.held.add(f"sender#{CHAIN_ID}#{world.bundler.address}")
    with pytest.raises(SenderBusy):
        kept.send(world, op)
    assert kept.saves == 0
