"""Addresses computed here are those of the factories, and of what they make."""

from __future__ import annotations

import pytest
from task_engine.evm.address import Address
from task_engine.evm.wallets.choice import wallet_provider

from tests.chain.rig import ETHER, Rig, Sender, TxCall, key

OWNER = key("owner of wallets")
KINDS = [
    (name, version) for name in ("simple_account", "session_account") for version in ("0.7", "0.8")
]


@pytest.mark.parametrize("salt", [0, 1, 2**256 - 1])
@pytest.mark.parametrize(("name", "version"), KINDS)
def test_the_factory_answers_the_same_address(rig: Rig, name: str, version: str, salt: int) -> None:
    provider = wallet_provider(name, version)

    answer = rig.read(provider.factory, provider.derive_call(OWNER.address, salt))

    assert provider.address(OWNER.address, salt) == Address.of_bytes(answer[12:])


@pytest.mark.parametrize(("name", "version"), KINDS)
def test_the_first_operation_makes_the_wallet_and_pays_the_receiver(
    rig: Rig, name: str, version: str
) -> None:
    wallet = Sender(rig, wallet_provider(name, version), OWNER, salt=3, version=version)
    receiver = key("receiver").address
    rig.fund(wallet.address)

    [ran] = wallet.run(wallet.operation(TxCall(receiver, ETHER // 10)))

    assert ran.success
    assert rig.node.has_code(wallet.address)
    assert rig.balance(receiver) == ETHER // 10


@pytest.mark.parametrize(("name", "version"), KINDS)
def test_a_batch_happens_as_one(rig: Rig, name: str, version: str) -> None:
    wallet = Sender(rig, wallet_provider(name, version), OWNER, version=version)
    first, second = key("first").address, key("second").address
    rig.fund(wallet.address)

    [ran] = wallet.run(wallet.operation(TxCall(first, 11), TxCall(second, 22)))

    assert ran.success
    assert (rig.balance(first), rig.balance(second)) == (11, 22)


@pytest.mark.parametrize(("name", "version"), KINDS)
def test_a_made_up_signature_is_as_long_as_a_real_one(name: str, version: str) -> None:
    provider = wallet_provider(name, version)

    assert len(provider.dummy_signature()) == len(provider.sign(bytes(32), OWNER))


def test_a_wallet_of_an_unknown_factory_is_for_the_factory_to_name() -> None:
    elsewhere = "0x" + "77" * 20

    assert wallet_provider("session_account", "0.7", elsewhere).address(OWNER.address, 0) is None
    assert wallet_provider("simple_account", "0.8", elsewhere).address(OWNER.address, 0) is None
