"""Wallets that our key acts for under a grant, by the estimate and the sender of the product."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from task_engine.evm import encoding
from task_engine.evm.address import Address
from task_engine.evm.entry_point import nonce_of
from task_engine.evm.senders.failures import OperationRefused
from task_engine.evm.signer import LocalSigner
from task_engine.evm.user_operation import UserOperation
from task_engine.evm.wallets.provider import TxCall
from task_engine.evm.wallets.session_account import SessionAccountProvider
from task_engine.model.grant import Grant, Permission, SpendCap
from task_engine.model.operation import OperationStatus

from infra_cdk.local.contracts import install_token, mint
from tests.chain.senders.world import CHAIN_ID, ETHER, ChainWorld, Kept, selector

CONTROLLER = LocalSigner("0x" + "c7" * 32)
FOR_EVER = 2**40
TO = Address("0x" + "99" * 20)


class SessionWallet:
    """Of a new owner, with a grant to raise the counter and to spend 100 units of a token."""

    def __init__(self, world: ChainWorld, counter: Address, token: Address) -> None:
        self.world = world
        self.token = token
        self.provider = SessionAccountProvider(world.version)
        self.owner = LocalSigner("0x" + os.urandom(32).hex())
        address = self.provider.address(self.owner.address, 0)
        assert address is not None
        self.address = address
        world.node.call("anvil_setBalance", address, hex(ETHER))
        mint(world.url, token, address, 1000)
        unsigned = Grant(
            id="0x" + os.urandom(32).hex(),
            owner=self.owner.address,
            wallet=address,
            chain_id=CHAIN_ID,
            entity_id=1,
            signer=CONTROLLER.address,
            valid_after=0,
            valid_until=FOR_EVER,
            permissions=(
                Permission(counter, "0x" + selector("increment()").hex()),
                Permission(token, "0x" + selector("transfer(address,uint256)").hex()),
            ),
            erc20_cap=SpendCap(token, 100),
            gas_cap=ETHER,
        )
        signature = self.owner.sign(self.provider.grant_digest(unsigned))
        self.grant = replace(unsigned, signature="0x" + signature.hex())

    def draft(self, *calls: TxCall) -> UserOperation:
        new = not self.world.node.has_code(self.address)
        factory, factory_data = self.provider.init(self.owner.address, 0)
        return UserOperation(
            sender=self.address,
            nonce=nonce_of(self.provider.nonce_key(os.urandom(8).hex(), self.grant)),
            call_data=self.provider.encode(calls, self.grant),
            factory=factory if new else None,
            factory_data=factory_data if new else b"",
            signature=self.provider.dummy_signature(self.grant),
        )

    def operation(self, *calls: TxCall) -> UserOperation:
        op = self.world.estimated(self.draft(*calls))
        op_hash = op.hash(self.world.entry_point, CHAIN_ID)
        return replace(op, signature=self.provider.sign(op_hash, CONTROLLER, self.grant))

    def transfer(self, amount: int) -> TxCall:
        arguments = encoding.address(TO) + encoding.number(amount)
        return TxCall(self.token, 0, selector("transfer(address,uint256)") + arguments)


@pytest.fixture(params=["0.7", "0.8"])
def wallet(request: pytest.FixtureRequest, world: ChainWorld, counter: Address) -> SessionWallet:
    world.version = request.param
    return SessionWallet(world, counter, install_token(world.url, "Test dollar", "TUSD", 6))


def test_the_estimate_is_enough_for_a_grants_checks(
    wallet: SessionWallet, counter: Address
) -> None:
    world, before = wallet.world, wallet.world.balance(wallet.world.bundler.address)
    increment = TxCall(counter, 0, selector("increment()"))
    for calls in (
        [increment],
        [wallet.transfer(10)],
        [increment, wallet.transfer(20), increment],
        [wallet.transfer(70)],
    ):
        done = Kept().settle(world, wallet.operation(*calls))
        assert done.status is OperationStatus.CONFIRMED, done.reason
    assert world.balance(world.bundler.address) >= before


def test_what_the_grant_does_not_cover_is_refused_before_sending(
    wallet: SessionWallet, counter: Address
) -> None:
    for call in (wallet.transfer(101), TxCall(counter, 0, selector("deposit()"))):
        kept = Kept()
        with pytest.raises(OperationRefused, match="AA24"):
            kept.send(wallet.world, wallet.operation(call))
        assert kept.saves == 0
