"""ethTransfer nodes through a session wallet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.call_budget import CallBudget
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.model.grant import NATIVE_TRANSFER, Permission

from tests.chain.rig import ETHER, Rig
from tests.chain.writing.world import WriteWorld

PAYEE = Address("0x00000000000000000000000000000000000000Aa")


def test_a_transfer_arrives_and_is_told(world: WriteWorld, rig: Rig) -> None:
    world.give(Permission(PAYEE, NATIVE_TRANSFER, 1000))
    scope = world.scope(to=PAYEE.lower())
    outcome = world.transfer(destination="{{to}}", amount="1000", scope=scope)
    assert outcome.error is None
    sent = {"from": world.wallet.address, "to": PAYEE, "value": "1000"}
    assert outcome.data == {"transfer": sent}
    assert isinstance(outcome.metadata, dict)
    assert outcome.metadata["receiptStatus"] == "confirmed"
    assert str(outcome.metadata["transactionHash"]).startswith("0x")
    used, price = (int(str(outcome.metadata[name])) for name in ("gasUsed", "gasPrice"))
    assert used > 21_000
    assert int(str(outcome.metadata["totalGasCost"])) >= used * price
    assert rig.balance(PAYEE) == 1000


def test_all_of_it_needs_a_sponsor(world: WriteWorld) -> None:
    world.give(Permission(PAYEE, NATIVE_TRANSFER, ETHER))
    with pytest.raises(NodeError, match="leave a gas reserve"):
        world.transfer(destination=PAYEE, amount="MAX")


def test_a_sponsored_wallet_sends_all_that_it_has(rig: Rig) -> None:
    world = WriteWorld(rig, sponsored=True)
    rig.fund(Address(world.wallet.address), 12_345)
    world.give(Permission(PAYEE, NATIVE_TRANSFER, ETHER))
    before = rig.balance(PAYEE)
    outcome = world.transfer(destination=PAYEE, amount="max")
    assert outcome.error is None
    assert rig.balance(PAYEE) - before == 12_345
    assert rig.balance(Address(world.wallet.address)) == 0
    # And with nothing left there is nothing to send
    empty = world.transfer(destination=PAYEE, amount="max", scope=world.scope(execution="e2"))
    assert empty.error is not None
    assert empty.error.code == "INSUFFICIENT_BALANCE"
    assert "holds nothing" in empty.error.message


def test_more_than_the_wallet_holds_is_refused(world: WriteWorld) -> None:
    world.give(Permission(PAYEE, NATIVE_TRANSFER, 10**20))
    outcome = world.transfer(destination=PAYEE, amount=str(10**19))
    assert outcome.error is not None
    assert world.events() == 0


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"destination": "0x12", "amount": "1"}, "destination"),
        ({"destination": PAYEE, "amount": "1.5"}, "amount"),
        ({"destination": PAYEE, "amount": "-1"}, "amount"),
        ({"destination": PAYEE, "amount": ""}, "amount"),
        ({"amount": "1"}, "destination"),
        ({"destination": PAYEE, "amount": "{{gone.data}}"}, "gone"),
        ({"destination": PAYEE, "amount": "1", "chainId": None}, "chainId"),
    ],
)
def test_bad_input_is_refused(world: WriteWorld, config: dict[str, object], text: str) -> None:
    with pytest.raises(NodeError, match=text):
        world.transfer(**config)
    assert world.operations.rows == {}


def test_a_simulated_transfer_costs_plain_gas_and_moves_nothing(
    world: WriteWorld, rig: Rig
) -> None:
    before = rig.balance(PAYEE)
    outcome = world.transfer(destination=PAYEE, amount="7", scope=world.scope(simulated=True))
    assert outcome.error is None
    assert outcome.chain is not None
    assert outcome.chain.simulated is True
    assert outcome.chain.gas_price == 5 * 10**8
    assert rig.balance(PAYEE) == before


def test_a_transfer_counts_as_a_call_of_the_chain(world: WriteWorld) -> None:
    scope = replace(world.scope(), calls=CallBudget(0))
    with pytest.raises(NodeError, match="too many"):
        world.transfer(destination=PAYEE, amount="1", scope=scope)
    assert world.operations.rows == {}
