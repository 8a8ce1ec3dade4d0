"""What a session account lets a signer do under a grant, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from task_engine.evm.address import Address, keccak256
from task_engine.evm.entry_point import ENTRY_POINTS, nonce_of
from task_engine.evm.wallets import grant_data
from task_engine.evm.wallets.provider import DUMMY_SIGNATURE, TxCall
from task_engine.evm.wallets.session_account import SessionAccountProvider
from task_engine.evm.wallets.typed_data import owners_signature
from task_engine.model.grant import NATIVE_TRANSFER, Grant, Permission, SpendCap

from infra_cdk.local.contracts import install_paymaster, load_artifact
from tests.chain.rig import ETHER, Refused, Rig, Sender, calling, key, word

OWNER = key("owner")
CONTROLLER = key("controller")
FRIEND = key("friend").address

INCREMENT = calling("increment()")
ADD = "add(uint256)"
DEPOSIT = calling("deposit()")
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def selector(signature: str) -> str:
    return "0x" + calling(signature).hex()


def signed(grant: Grant) -> Grant:
    return replace(grant, signature="0x" + OWNER.sign(grant_data.grant_digest(grant)).hex())


@pytest.fixture
def wallet(rig: Rig) -> Sender:
    """A funded wallet that is not on chain yet."""
    sender = Sender(rig, SessionAccountProvider(), OWNER)
    rig.fund(sender.address, 10 * ETHER)
    return sender


@pytest.fixture
def grant(rig: Rig, wallet: Sender) -> Grant:
    """Counting, deposits of at most 1000 wei, and transfers of at most 5 wei to a friend."""
    now = rig.now()
    return signed(
        Grant(
            id="0x" + "ab" * 32,
            owner=OWNER.address,
            wallet=wallet.address,
            chain_id=rig.chain_id,
            entity_id=1,
            signer=CONTROLLER.address,
            valid_after=now - 60,
            valid_until=now + 3600,
            permissions=(
                Permission(rig.counter, selector("increment()")),
                Permission(rig.counter, selector("deposit()"), 1000),
                Permission(FRIEND, NATIVE_TRANSFER, 5),
            ),
        )
    )


@pytest.fixture
def count(rig: Rig) -> Callable[[], int]:
    return lambda: rig.number(rig.counter, calling("count()"))


def refusal(wallet: Sender, *calls: TxCall, grant: Grant, signer: object = CONTROLLER) -> str:
    operation = wallet.operation(*calls, signer=signer, grant=grant)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        wallet.run(operation)
    return str(refused.value)


# ---- what a grant covers


def test_a_granted_call_runs(
    rig: Rig, wallet: Sender, grant: Grant, count: Callable[[], int]
) -> None:
    [first] = wallet.run(
        wallet.operation(TxCall(rig.counter, 0, INCREMENT), signer=CONTROLLER, grant=grant)
    )
    [second] = wallet.run(
        wallet.operation(TxCall(rig.counter, 0, INCREMENT), signer=CONTROLLER, grant=grant)
    )

    assert first.success
    assert second.success
    assert count() == 2
    assert first.gas_used > second.gas_used


def test_a_granted_batch_runs(
    rig: Rig, wallet: Sender, grant: Grant, count: Callable[[], int]
) -> None:
    calls = (
        TxCall(rig.counter, 0, INCREMENT),
        TxCall(rig.counter, 1000, DEPOSIT),
        TxCall(FRIEND, 5),
    )

    [ran] = wallet.run(wallet.operation(*calls, signer=CONTROLLER, grant=grant))

    assert ran.success
    assert (count(), rig.balance(rig.counter), rig.balance(FRIEND)) == (1, 1000, 5)


def test_a_granted_transfer_of_native_currency_runs(rig: Rig, wallet: Sender, grant: Grant) -> None:
    [ran] = wallet.run(wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=grant))

    assert ran.success
    assert rig.balance(FRIEND) == 5


def test_operations_of_different_nonce_keys_share_a_bundle(
    rig: Rig, wallet: Sender, grant: Grant, count: Callable[[], int]
) -> None:
    call = TxCall(rig.counter, 0, INCREMENT)
    wallet.run(wallet.operation(call, signer=CONTROLLER, grant=grant))
    several = [wallet.operation(call, signer=CONTROLLER, grant=grant) for _ in range(3)]

    ran = wallet.run(*reversed(several))

    assert [item.success for item in ran] == [True, True, True]
    assert count() == 4


def test_an_operation_runs_once(rig: Rig, wallet: Sender, grant: Grant) -> None:
    operation = wallet.operation(TxCall(rig.counter, 0, INCREMENT), signer=CONTROLLER, grant=grant)
    wallet.run(operation)

    with pytest.raises(Refused, match="AA25"):
        wallet.run(replace(operation, factory=None, factory_data=b""))


# ---- what it does not


def test_more_value_than_permitted_is_refused(rig: Rig, wallet: Sender, grant: Grant) -> None:
    assert "AA24" in refusal(wallet, TxCall(rig.counter, 1001, DEPOSIT), grant=grant)
    assert "AA24" in refusal(wallet, TxCall(FRIEND, 6), grant=grant)


@pytest.mark.parametrize(
    "data",
    [calling(ADD, word(1)), b"", INCREMENT[:3], b"\0\0\0\0", b"\0"],
    ids=["another function", "no data", "three bytes", "selector zero", "one byte"],
)
def test_another_selector_is_refused(rig: Rig, wallet: Sender, grant: Grant, data: bytes) -> None:
    assert "AA24" in refusal(wallet, TxCall(rig.counter, 0, data), grant=grant)


@pytest.mark.parametrize("data", [INCREMENT, b"\0\0\0\0", b"\0"])
def test_a_permission_to_transfer_permits_no_data(
    wallet: Sender, grant: Grant, data: bytes
) -> None:
    assert "AA24" in refusal(wallet, TxCall(FRIEND, 1, data), grant=grant)


def test_three_bytes_do_not_count_as_a_selector_that_ends_in_zero(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    cut = "0x" + INCREMENT[:3].hex() + "00"
    rounded = signed(replace(grant, permissions=(Permission(rig.counter, cut),)))

    assert "AA24" in refusal(wallet, TxCall(rig.counter, 0, INCREMENT[:3]), grant=rounded)


def test_another_target_is_refused_even_in_a_batch(rig: Rig, wallet: Sender, grant: Grant) -> None:
    granted, foreign = TxCall(rig.counter, 0, INCREMENT), TxCall(rig.token, 0, INCREMENT)

    assert "AA24" in refusal(wallet, foreign, grant=grant)
    assert "AA24" in refusal(wallet, granted, foreign, grant=grant)


@pytest.mark.parametrize("name", ["revokeAllGrants()", "execute(address,uint256,bytes)"])
def test_the_wallet_itself_is_no_target_whatever_the_owner_signed(
    wallet: Sender, grant: Grant, name: str
) -> None:
    wider = signed(replace(grant, permissions=(Permission(wallet.address, selector(name)),)))

    assert "AA24" in refusal(wallet, TxCall(wallet.address, 0, calling(name)), grant=wider)


def test_the_entry_point_is_no_target_whatever_the_owner_signed(
    wallet: Sender, grant: Grant
) -> None:
    name = "withdrawTo(address,uint256)"
    target = ENTRY_POINTS["0.7"].address
    wider = signed(replace(grant, permissions=(Permission(target, selector(name)),)))
    data = calling(name, word(CONTROLLER.address), word(1))

    assert "AA24" in refusal(wallet, TxCall(target, 0, data), grant=wider)


@pytest.mark.parametrize(
    "data",
    [
        calling("revokeAllGrants()"),
        calling("executeBatch((address,uint256,bytes)[])", word(32), word(0)),
        bytes.fromhex("8dd7712f"),
        b"",
    ],
    ids=["own function", "empty batch", "executeUserOp", "nothing"],
)
def test_an_operation_that_executes_nothing_permitted_is_refused(
    wallet: Sender, grant: Grant, data: bytes
) -> None:
    operation = wallet.operation(signer=CONTROLLER, grant=grant, call_data=data)

    with pytest.raises(Refused, match="AA24"):
        wallet.run(operation)


def test_another_controller_is_refused(rig: Rig, wallet: Sender, grant: Grant) -> None:
    call = TxCall(rig.counter, 0, INCREMENT)

    assert "AA24" in refusal(wallet, call, grant=grant, signer=key("stranger"))
    assert "AA24" in refusal(wallet, call, grant=grant, signer=OWNER)


@pytest.mark.parametrize(
    "wider",
    [
        {"valid_until": 2**48 - 1},
        {"valid_after": 0},
        {"gas_cap": 1},
        {"id": "0x" + "cd" * 32},
        {"permissions": (Permission(FRIEND, NATIVE_TRANSFER, ETHER),)},
        {"signer": key("stranger").address},
    ],
    ids=lambda wider: next(iter(wider)),
)
def test_a_changed_grant_is_refused(wallet: Sender, grant: Grant, wider: dict[str, object]) -> None:
    signer = key("stranger") if "signer" in wider else CONTROLLER
    changed = replace(grant, **wider)  # type: ignore[arg-type]

    assert "AA24" in refusal(wallet, TxCall(FRIEND, 5), grant=changed, signer=signer)


def test_a_grant_of_another_owner_chain_or_wallet_is_refused(wallet: Sender, grant: Grant) -> None:
    call = TxCall(FRIEND, 5)
    stranger = "0x" + key("stranger").sign(grant_data.grant_digest(grant)).hex()
    other_chain = signed(replace(grant, chain_id=1))
    other_wallet = signed(replace(grant, wallet=FRIEND))

    assert "AA24" in refusal(wallet, call, grant=replace(grant, signature=stranger))
    assert "AA24" in refusal(wallet, call, grant=replace(grant, signature=other_chain.signature))
    assert "AA24" in refusal(wallet, call, grant=replace(grant, signature=other_wallet.signature))


def test_another_grant_can_not_take_the_place_of_the_signed_one(
    wallet: Sender, grant: Grant
) -> None:
    other = signed(replace(grant, id="0x" + "cd" * 32))
    operation = wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=grant)
    digest = operation.hash(wallet.entry_point, wallet.rig.chain_id)
    under_first = CONTROLLER.sign(
        keccak256(b"\x19Ethereum Signed Message:\n32" + grant_data.signed_by_signer(digest, grant))
    )
    swapped = grant_data.encode_grant(other, bytes.fromhex(other.signature[2:]), under_first)

    with pytest.raises(Refused, match="AA24"):
        wallet.run(replace(operation, signature=swapped))
    kept = grant_data.encode_grant(grant, bytes.fromhex(grant.signature[2:]), under_first)
    assert wallet.run(replace(operation, signature=kept))[0].success


def test_a_high_s_is_refused(rig: Rig, wallet: Sender, grant: Grant) -> None:
    raw = bytes.fromhex(grant.signature[2:])
    high = _ORDER - int.from_bytes(raw[32:64], "big")
    twin = raw[:32] + high.to_bytes(32, "big") + bytes([55 - raw[64]])

    answer = refusal(
        wallet,
        TxCall(FRIEND, 5),
        grant=replace(grant, signature="0x" + twin.hex()),
    )

    assert "AA24" in answer


def test_a_grant_to_nobody_is_not_for_everybody(wallet: Sender, grant: Grant) -> None:
    nobody = signed(replace(grant, signer="0x" + "00" * 20))
    operation = wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=nobody)
    unrecoverable = bytes(64) + bytes([27])
    signature = grant_data.encode_grant(nobody, bytes.fromhex(nobody.signature[2:]), unrecoverable)

    with pytest.raises(Refused, match="AA24"):
        wallet.run(replace(operation, signature=signature))


# ---- time


def test_outside_its_window_a_grant_is_refused(rig: Rig, wallet: Sender, grant: Grant) -> None:
    now = rig.now()
    expired = signed(replace(grant, valid_until=now - 1))
    early = signed(replace(grant, valid_after=now + 1800))

    assert "AA22" in refusal(wallet, TxCall(FRIEND, 5), grant=expired)
    assert "AA22" in refusal(wallet, TxCall(FRIEND, 5), grant=early)


def test_a_grant_without_an_end_is_none(wallet: Sender, grant: Grant) -> None:
    endless = signed(replace(grant, valid_until=0))

    assert "AA24" in refusal(wallet, TxCall(FRIEND, 5), grant=endless)


# ---- taking back


def test_a_grant_can_be_taken_back_before_it_was_used(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    call = wallet.provider.revoke_call(grant)
    other = signed(replace(grant, id="0x" + "cd" * 32))

    [ran] = wallet.run(wallet.operation(call))

    assert ran.success
    assert "AA24" in refusal(wallet, TxCall(FRIEND, 5), grant=grant)
    [still] = wallet.run(wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=other))
    assert still.success


def test_the_owner_takes_a_used_grant_back_by_a_transaction(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=grant))
    call = wallet.provider.revoke_call(grant)

    receipt = rig.send_as(OWNER, call.to, call.data)

    assert receipt["status"] == "0x1"
    assert "AA24" in refusal(wallet, TxCall(FRIEND, 5), grant=grant)


def test_all_grants_are_taken_back_at_once(rig: Rig, wallet: Sender, grant: Grant) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=grant))

    receipt = rig.send_as(OWNER, wallet.address, calling("revokeAllGrants()"))

    assert receipt["status"] == "0x1"
    assert "AA24" in refusal(wallet, TxCall(FRIEND, 5), grant=grant)
    renewed = signed(replace(grant, epoch=1))
    assert wallet.run(wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=renewed))[
        0
    ].success


# ---- sums


def spending(grant: Grant, token: Address, cap: int) -> Grant:
    names = "transfer(address,uint256)", "approve(address,uint256)", "mint(address,uint256)"
    permissions = tuple(Permission(token, selector(name)) for name in names)
    return signed(replace(grant, permissions=permissions, erc20_cap=SpendCap(token, cap)))


def transfer(rig: Rig, amount: int, name: str = "transfer") -> TxCall:
    return TxCall(rig.token, 0, calling(f"{name}(address,uint256)", word(FRIEND), word(amount)))


def spent(rig: Rig, wallet: Sender, grant: Grant) -> int:
    return rig.number(wallet.address, calling("spent(bytes32)", grant_data.grant_digest(grant)))


def test_the_spend_cap_is_cumulative(rig: Rig, wallet: Sender, grant: Grant) -> None:
    capped = spending(grant, rig.token, 100)
    rig.mint(wallet.address, 1000)

    [first] = wallet.run(wallet.operation(transfer(rig, 60), signer=CONTROLLER, grant=capped))

    assert first.success
    assert "AA24" in refusal(wallet, transfer(rig, 41), grant=capped)
    [second] = wallet.run(wallet.operation(transfer(rig, 40), signer=CONTROLLER, grant=capped))
    assert second.success
    assert "AA24" in refusal(wallet, transfer(rig, 1), grant=capped)
    assert rig.number(rig.token, calling("balanceOf(address)", word(FRIEND))) == 100
    assert spent(rig, wallet, capped) == 100


def test_the_spend_cap_adds_up_a_batch_and_counts_approvals(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    capped = spending(grant, rig.token, 100)
    rig.mint(wallet.address, 1000)
    moves, allows = transfer(rig, 50), transfer(rig, 50, "approve")

    assert "AA24" in refusal(wallet, moves, allows, transfer(rig, 1), grant=capped)
    [ran] = wallet.run(wallet.operation(moves, allows, signer=CONTROLLER, grant=capped))

    assert ran.success
    assert spent(rig, wallet, capped) == 100


@pytest.mark.parametrize("amount", [101, 2**256 - 1])
def test_no_amount_wraps_around_the_spend_cap(
    rig: Rig, wallet: Sender, grant: Grant, amount: int
) -> None:
    capped = spending(grant, rig.token, 100)

    assert "AA24" in refusal(wallet, transfer(rig, amount, "approve"), grant=capped)
    assert "AA24" in refusal(
        wallet, transfer(rig, 1, "approve"), transfer(rig, amount, "approve"), grant=capped
    )


def test_other_functions_of_a_capped_token_are_refused(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    capped = spending(grant, rig.token, 100)

    assert "AA24" in refusal(wallet, transfer(rig, 1, "mint"), grant=capped)
    short = TxCall(rig.token, 0, calling("transfer(address,uint256)", word(FRIEND)))
    assert "AA24" in refusal(wallet, short, grant=capped)


def test_two_operations_in_one_bundle_share_the_spend_cap(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    capped = spending(grant, rig.token, 100)
    rig.mint(wallet.address, 1000)
    wallet.run(wallet.operation(transfer(rig, 1), signer=CONTROLLER, grant=capped))
    both = [wallet.operation(transfer(rig, 60), signer=CONTROLLER, grant=capped) for _ in range(2)]

    with pytest.raises(Refused, match="AA24"):
        wallet.run(*both)
    assert wallet.run(both[0])[0].success


def test_a_share_is_used_up_by_an_operation_that_reverts(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    capped = spending(grant, rig.token, 100)

    [ran] = wallet.run(wallet.operation(transfer(rig, 70), signer=CONTROLLER, grant=capped))

    assert not ran.success
    assert spent(rig, wallet, capped) == 70


def test_the_gas_cap_is_cumulative(rig: Rig, wallet: Sender, grant: Grant) -> None:
    operation = wallet.operation(TxCall(FRIEND, 1), signer=CONTROLLER, grant=grant)
    limits = operation.call_gas_limit + operation.verification_gas_limit
    reserve = (limits + operation.pre_verification_gas) * operation.max_fee_per_gas
    capped = signed(replace(grant, gas_cap=2 * reserve))
    call = TxCall(FRIEND, 1)

    for _ in range(2):
        assert wallet.run(wallet.operation(call, signer=CONTROLLER, grant=capped))[0].success

    assert "AA24" in refusal(wallet, call, grant=capped)


def test_a_gas_cap_of_zero_wants_a_real_paymaster(rig: Rig, wallet: Sender, grant: Grant) -> None:
    sponsored_only = signed(replace(grant, gas_cap=0))
    pretended = wallet.operation(
        TxCall(FRIEND, 1),
        signer=CONTROLLER,
        grant=sponsored_only,
        paymaster=Address("0x" + "00" * 20),
    )

    assert "AA24" in refusal(wallet, TxCall(FRIEND, 1), grant=sponsored_only)
    with pytest.raises(Refused, match="AA24"):
        wallet.run(pretended)


def test_a_sponsored_operation_needs_no_money_and_no_gas_cap(rig: Rig, grant: Grant) -> None:
    poor = Sender(rig, SessionAccountProvider(), OWNER, salt=1)
    sponsor = key("sponsor")
    paymaster = install_paymaster(rig.url, sponsor.address, ETHER)
    sponsored_only = signed(replace(grant, wallet=poor.address, gas_cap=0))
    call = TxCall(rig.counter, 0, INCREMENT)
    window = word(2**48 - 1) + word(0)
    operation = poor.operation(
        call,
        signer=CONTROLLER,
        grant=sponsored_only,
        paymaster=paymaster,
        paymaster_verification_gas_limit=100_000,
        paymaster_data=window + bytes(65),
    )
    fields = poor.entry_point.hash_data(operation)[36:]
    name = (
        "getHash((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),uint48,uint48)"
    )
    asked = rig.read(paymaster, calling(name, word(96), window) + fields)
    promise = sponsor.sign(keccak256(b"\x19Ethereum Signed Message:\n32" + asked))
    operation = replace(operation, paymaster_data=window + promise)

    [ran] = poor.run(poor.signed(operation, CONTROLLER, sponsored_only))

    assert ran.success
    assert rig.balance(poor.address) == 0


# ---- the owner


def test_the_owner_executes_by_operation_and_by_transaction(
    rig: Rig, wallet: Sender, count: Callable[[], int]
) -> None:
    call = TxCall(rig.counter, 0, INCREMENT)
    [ran] = wallet.run(wallet.operation(call))

    receipt = rig.send_as(OWNER, wallet.address, wallet.provider.encode([call]))

    assert ran.success
    assert receipt["status"] == "0x1"
    assert count() == 2


@pytest.mark.parametrize(
    "data",
    [
        calling("execute(address,uint256,bytes)", word(FRIEND), word(1), word(96), word(0)),
        calling("executeBatch((address,uint256,bytes)[])", word(32), word(0)),
        calling("revokeGrant(bytes32)", bytes(32)),
        calling("revokeAllGrants()"),
    ],
    ids=["execute", "executeBatch", "revokeGrant", "revokeAllGrants"],
)
def test_nobody_else_may_call_the_wallet(rig: Rig, wallet: Sender, data: bytes) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))

    assert rig.send_as(CONTROLLER, wallet.address, data)["status"] == "0x0"


def test_only_the_entry_point_may_ask_for_validation(rig: Rig, wallet: Sender) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))
    code = calling("NotFromEntryPoint()").hex()
    operation = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"
    name = f"validateUserOp({operation},bytes32,uint256)"
    empty = wallet.entry_point.hash_data(wallet.operation(TxCall(FRIEND, 1)))[4:][32:]
    data = calling(name, word(96), bytes(32), word(0)) + empty
    call = {"from": OWNER.address, "to": wallet.address, "data": "0x" + data.hex()}

    answer = rig.node.answer("eth_call", call, "latest")

    assert answer["error"]["data"] == "0x" + code


def test_the_owner_alone_signs_for_the_wallet(rig: Rig, wallet: Sender) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))
    digest = keccak256(b"an order")
    bound = rig.read(wallet.address, calling("messageHash(bytes32)", digest))

    def answer(signature: bytes) -> str:
        data = calling("isValidSignature(bytes32,bytes)", digest, word(64), word(65))
        return rig.read(wallet.address, data + signature + bytes(31))[:4].hex()

    assert answer(OWNER.sign(bound)) == "1626ba7e"
    assert answer(CONTROLLER.sign(bound)) == "ffffffff"
    assert answer(OWNER.sign(digest)) == "ffffffff"
    assert answer(DUMMY_SIGNATURE) == "ffffffff"


def test_the_implementation_itself_belongs_to_nobody(rig: Rig, wallet: Sender) -> None:
    factory = wallet.provider.factory
    implementation = Address.of_bytes(rig.read(factory, calling("accountImplementation()"))[12:])
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))

    assert rig.number(implementation, calling("owner()")) == 0
    assert rig.read(wallet.address, calling("owner()"))[12:] == OWNER.address.raw


def test_making_a_wallet_twice_gives_the_same(rig: Rig, wallet: Sender) -> None:
    factory, data = wallet.provider.init(OWNER.address, 0)
    rig.node.send(factory, data)
    before = rig.node.call("eth_getCode", wallet.address, "latest")

    rig.node.send(factory, data)

    assert rig.node.call("eth_getCode", wallet.address, "latest") == before


# ---- encodings


def test_the_grant_is_what_a_wallet_program_signs(rig: Rig, grant: Grant) -> None:
    capped = replace(grant, erc20_cap=SpendCap(rig.token, 7), gas_cap=9)
    document = grant_data.typed_data(capped)
    account = Account.from_key(keccak256(b"owner"))

    judged = account.sign_message(encode_typed_data(full_message=document))

    digest = grant_data.grant_digest(capped)
    assert judged.message_hash == digest
    assert owners_signature(digest, OWNER.address, "0x" + judged.signature.hex())


def test_the_contract_computes_the_same_digest(rig: Rig, wallet: Sender, grant: Grant) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))
    encoded = grant_data.encode_grant(grant, b"", b"")
    first = int.from_bytes(encoded[:32], "big")
    second = int.from_bytes(encoded[32:64], "big")
    name = next(
        item for item in load_artifact("SessionAccount")["abi"] if item.get("name") == "grantHash"
    )
    kinds = ",".join(part["type"] for part in name["inputs"][0]["components"][:-1])
    signature = f"grantHash(({kinds},(address,bytes4,uint256)[]))"

    answer = rig.read(wallet.address, calling(signature, word(32)) + encoded[first:second])

    assert answer == grant_data.grant_digest(grant)


def test_a_made_up_signature_is_as_long_and_fails_only_as_a_wrong_one(
    wallet: Sender, grant: Grant
) -> None:
    operation = wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=grant)
    dummy = wallet.provider.dummy_signature(grant)

    assert len(dummy) == len(operation.signature)
    with pytest.raises(Refused, match="AA24"):
        wallet.run(replace(operation, signature=dummy))


def test_a_session_account_of_entry_point_0_8_takes_grants(rig: Rig, grant: Grant) -> None:
    wallet = Sender(rig, SessionAccountProvider("0.8"), OWNER, version="0.8")
    rig.fund(wallet.address)
    here = signed(replace(grant, wallet=wallet.address))

    [ran] = wallet.run(wallet.operation(TxCall(FRIEND, 5), signer=CONTROLLER, grant=here))

    assert ran.success
    assert "AA24" in refusal(wallet, TxCall(FRIEND, 6), grant=here)


def test_the_nonce_is_bound_to_the_operation(wallet: Sender) -> None:
    key_of_one = wallet.provider.nonce_key("execution:node:0")

    assert wallet.provider.nonce_key("execution:node:0") == key_of_one
    assert wallet.provider.nonce_key("execution:node:1") != key_of_one
    assert nonce_of(key_of_one) < 2**256
