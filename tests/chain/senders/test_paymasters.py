"""Sponsored operations of wallets that own nothing, on a real node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from task_engine.clock import SystemClock
from task_engine.evm.address import Address
from task_engine.evm.failures import RpcError
from task_engine.evm.paymasters.erc7677 import Erc7677Paymaster
from task_engine.evm.paymasters.none import NoPaymaster
from task_engine.evm.paymasters.ports import Paymaster, SponsorRefused
from task_engine.evm.paymasters.verifying import VerifyingPaymaster
from task_engine.evm.senders.failures import OperationRefused
from task_engine.evm.signer import LocalSigner
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import OperationStatus

from infra_cdk.local.contracts import install_paymaster
from tests.chain.senders.world import CHAIN_ID, ETHER, ChainWorld, Kept, Wallet, selector
from tests.fakes.clock import FakeClock

SPONSOR = LocalSigner("0x" + "5a" * 32)


@pytest.fixture(scope="session")
def paymaster(sending_chain: str) -> Address:
    return install_paymaster(sending_chain, SPONSOR.address, 10 * ETHER)


def verifying(address: Address, signer: LocalSigner = SPONSOR) -> VerifyingPaymaster:
    return VerifyingPaymaster(address, CHAIN_ID, signer, SystemClock())


def sponsored(
    world: ChainWorld, wallet: Wallet, counter: Address, sponsor: Paymaster
) -> UserOperation:
    """In the order in which it has to be: stub, estimate, sponsor, sign."""
    draft = world.draft(wallet, counter, selector("increment()"))
    estimated = world.estimated(sponsor.stub(draft))
    return world.signed(wallet, sponsor.sponsor(estimated))


def test_a_wallet_without_money_is_deployed_and_acts(
    world: ChainWorld, counter: Address, paymaster: Address
) -> None:
    wallet, before = world.wallet(wei=0), world.balance(world.bundler.address)
    for count in (1, 2):
        op = sponsored(world, wallet, counter, verifying(paymaster))
        done = Kept().settle(world, op)
        assert done.status is OperationStatus.CONFIRMED
        assert done.receipt is not None
        assert done.receipt.paymaster == paymaster
        assert world.count_of(counter, wallet) == count
    assert world.balance(wallet.address) == 0
    assert world.balance(world.bundler.address) >= before


def test_a_sponsorship_by_another_key_is_refused_before_sending(
    world: ChainWorld, counter: Address, paymaster: Address
) -> None:
    other = verifying(paymaster, LocalSigner("0x" + "66" * 32))
    op, kept = sponsored(world, world.wallet(wei=0), counter, other), Kept()
    with pytest.raises(OperationRefused, match="AA34") as caught:
        kept.send(world, op)
    assert (caught.value.stable_code, kept.saves) == ("INSUFFICIENT_CREDIT", 0)


def test_a_sponsorship_is_for_that_very_operation(
    world: ChainWorld, counter: Address, paymaster: Address
) -> None:
    wallet = world.wallet(wei=0)
    op = sponsored(world, wallet, counter, verifying(paymaster))
    changed = world.signed(wallet, replace(op, max_fee_per_gas=op.max_fee_per_gas + 1))
    with pytest.raises(OperationRefused, match="AA34"):
        Kept().send(world, changed)


def test_a_sponsorship_ends(world: ChainWorld, counter: Address, paymaster: Address) -> None:
    long_ago = VerifyingPaymaster(paymaster, CHAIN_ID, SPONSOR, FakeClock(1_600_000_000_000))
    op = sponsored(world, world.wallet(wei=0), counter, long_ago)
    with pytest.raises(OperationRefused, match="expired") as caught:
        Kept().send(world, op)
    assert (caught.value.aa, caught.value.may_retry) == ("AA32", True)


def test_who_has_no_credit_is_told_before_anything_is_signed(
    world: ChainWorld, counter: Address, paymaster: Address
) -> None:
    def refuse(op: UserOperation) -> None:
        raise SponsorRefused("no credit is left")

    sponsor = VerifyingPaymaster(paymaster, CHAIN_ID, SPONSOR, SystemClock(), refuse)
    with pytest.raises(SponsorRefused, match="no credit") as caught:
        sponsored(world, world.wallet(wei=0), counter, sponsor)
    assert caught.value.stable_code == "INSUFFICIENT_CREDIT"


def test_without_a_paymaster_nothing_changes(world: ChainWorld, counter: Address) -> None:
    op = world.draft(world.wallet(), counter, selector("increment()"))
    assert NoPaymaster().stub(op) == NoPaymaster().sponsor(op) == op


class SponsorService:
    """The service of ERC-7677, with the same contract behind it."""

    def __init__(self, paymaster: Address) -> None:
        self._inner = verifying(paymaster)
        self.chain_id = CHAIN_ID
        self.refusal: RpcError | None = None
        self.change: dict[str, JsonValue] = {}
        self.asked: list[tuple[str, JsonValue, JsonValue, JsonValue]] = []

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        wire, point, chain, context = params
        self.asked.append((method, point, chain, context))
        if self.refusal is not None:
            raise self.refusal
        assert isinstance(wire, dict)
        op = UserOperation.from_wire(wire)
        final = method == "pm_getPaymasterData"
        given = (self._inner.sponsor(op) if final else self._inner.stub(op)).wire()
        names = ["paymaster", "paymasterData"]
        if not final:
            names += ["paymasterVerificationGasLimit", "paymasterPostOpGasLimit"]
        return {name: given[name] for name in names} | self.change

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        return [self.call(method, *params) for method, params in calls]


def test_a_service_sponsors_by_its_two_methods(
    world: ChainWorld, counter: Address, paymaster: Address
) -> None:
    service, wallet = SponsorService(paymaster), world.wallet(wei=0)
    sponsor = Erc7677Paymaster(service, world.entry_point.address, {"policyId": "p1"})
    done = Kept().settle(world, sponsored(world, wallet, counter, sponsor))
    assert done.status is OperationStatus.CONFIRMED
    rest = (world.entry_point.address, "0xaa36a7", {"policyId": "p1"})
    assert service.asked == [
        ("pm_getPaymasterStubData", *rest),
        ("pm_getPaymasterData", *rest),
    ]


@pytest.mark.parametrize(
    ("refusal", "said", "may_retry"),
    [
        (RpcError("policy is exhausted\nmore", rpc_code=-32000), "policy is exhausted", False),
        (RpcError("no answer", may_retry=True), "service is unavailable", True),
    ],
)
def test_a_service_that_refuses_fails_the_operation(
    world: ChainWorld, counter: Address, refusal: RpcError, said: str, may_retry: bool
) -> None:
    service = SponsorService(Address("0x" + "12" * 20))
    service.refusal = refusal
    sponsor = Erc7677Paymaster(service, world.entry_point.address)
    with pytest.raises(SponsorRefused, match=said) as caught:
        sponsored(world, world.wallet(), counter, sponsor)
    assert caught.value.may_retry is may_retry


@pytest.mark.parametrize(
    "change",
    [
        {"paymaster": None},
        {"paymaster": "0x12"},
        {"paymasterData": 5},
        {"paymasterData": "0xzz"},
        {"paymasterVerificationGasLimit": "many"},
    ],
)
def test_an_answer_of_another_shape_is_a_refusal(
    world: ChainWorld, counter: Address, change: dict[str, JsonValue]
) -> None:
    service = SponsorService(Address("0x" + "12" * 20))
    service.change = change
    sponsor = Erc7677Paymaster(service, world.entry_point.address)
    with pytest.raises(SponsorRefused, match="sponsor's"):
        sponsor.stub(world.draft(world.wallet(), counter, b""))
