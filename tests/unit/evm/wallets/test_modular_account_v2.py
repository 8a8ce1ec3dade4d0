"""Modular Account v2: its frames and calls, checked by another library's encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi import decode, encode
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils import keccak
from task_engine.errors import NotImplementedHere
from task_engine.evm.address import Address
from task_engine.evm.entry_point import key_of
from task_engine.evm.signer import LocalSigner
from task_engine.evm.wallets import modular_grant
from task_engine.evm.wallets.choice import wallet_provider
from task_engine.evm.wallets.provider import TxCall
from task_engine.model.grant import (
    NATIVE_TRANSFER,
    Grant,
    GrantStatus,
    Permission,
    SpendCap,
)

PROVIDER = wallet_provider("modular_account_v2")
OWNER_KEY = "0x" + "11" * 32
OWNER = LocalSigner(OWNER_KEY)
CONTROLLER_KEY = "0x" + "22" * 32
CONTROLLER = LocalSigner(CONTROLLER_KEY)
TOKEN = Address("0x" + "aa" * 20)
VAULT = Address("0x" + "bb" * 20)
HASH = bytes(range(32))

SINGLE_SIGNER = "00000000000099de0bf6fa90deb851e2a2df7d83"
ALLOWLIST = "00000000003e826473a313e600b5b9b791f5a59a"
TIME_RANGE = "00000000000082b8e2012be914dfa4f62a0573ea"
ENTITY = "00000007"
DEFERRED_KEY = 7 << 8 | 2

UNSIGNED = Grant(
    id="0x" + "cd" * 32,
    owner=OWNER.address,
    wallet=Address("0x" + "cc" * 20),
    chain_id=8453,
    entity_id=7,
    signer=CONTROLLER.address,
    valid_after=1_000,
    valid_until=2_000,
    permissions=(
        Permission(TOKEN, "0xa9059cbb"),
        Permission(VAULT, "0xd0e30db0"),
        Permission(TOKEN, "0x095ea7b3"),
    ),
    erc20_cap=SpendCap(TOKEN, 10**6),
    deadline=1_500,
)
PENDING = replace(UNSIGNED, signature="0x" + OWNER.sign(PROVIDER.grant_digest(UNSIGNED)).hex())
ACTIVE = replace(PENDING, status=GrantStatus.ACTIVE)


def personally(key: str) -> bytes:
    return bytes(Account.sign_message(encode_defunct(HASH), key).signature)


# ---- where it is and how it is made


def test_the_published_factory_makes_it() -> None:
    factory, data = PROVIDER.init(OWNER.address, 5)

    assert factory == "0x00000000000017c61b5bEe81050EC8eFc9c6fecd"
    assert data == keccak(b"createSemiModularAccount(address,uint256)")[:4] + encode(
        ["address", "uint256"], [OWNER.address, 5]
    )
    assert PROVIDER.derive_call(OWNER.address, 5) == keccak(
        b"getAddressSemiModular(address,uint256)"
    )[:4] + encode(["address", "uint256"], [OWNER.address, 5])


def test_each_owner_and_salt_has_an_address_of_its_own() -> None:
    addresses = {
        PROVIDER.address(owner, salt)
        for owner in (OWNER.address, CONTROLLER.address)
        for salt in (0, 1)
    }

    assert None not in addresses
    assert len(addresses) == 4
    assert wallet_provider("modular_account_v2", "0.7", TOKEN).address(OWNER.address, 0) is None


# ---- nonces


def test_the_owners_nonce_names_the_global_validation_of_entity_zero() -> None:
    nonce_key = PROVIDER.nonce_key("run:node:0")

    assert nonce_key & 0xFF == 1
    assert nonce_key >> 8 & 0xFFFFFFFF == 0
    assert nonce_key >> 40 == key_of("run:node:0") >> 40
    assert nonce_key < 2**192


def test_a_grants_nonce_names_its_entity() -> None:
    nonce_key = PROVIDER.nonce_key("run:node:0", ACTIVE)

    assert nonce_key & 0xFF == 0
    assert nonce_key >> 8 & 0xFFFFFFFF == 7
    assert nonce_key >> 40 == key_of("run:node:0") >> 40


def test_the_operation_that_installs_has_the_nonce_that_was_signed() -> None:
    typed = PROVIDER.typed_data(PENDING)

    assert PROVIDER.nonce_key("one", PENDING) == DEFERRED_KEY
    assert PROVIDER.nonce_key("two", PENDING) == DEFERRED_KEY
    assert isinstance(typed["message"], dict)
    assert typed["message"]["nonce"] == str(DEFERRED_KEY << 64)


# ---- calls


def test_one_call_and_several() -> None:
    one, two = TxCall(TOKEN, 1, b"\x01\x02"), TxCall(VAULT, 2)

    assert PROVIDER.encode([one]) == bytes.fromhex("b61d27f6") + encode(
        ["address", "uint256", "bytes"], [TOKEN, 1, b"\x01\x02"]
    )
    assert PROVIDER.encode([one, two]) == bytes.fromhex("34fcd5be") + encode(
        ["(address,uint256,bytes)[]"], [[(TOKEN, 1, b"\x01\x02"), (VAULT, 2, b"")]]
    )


def test_under_a_spend_cap_calls_go_by_way_of_execute_user_op() -> None:
    call = TxCall(TOKEN, 0, b"\x01")
    uncapped = replace(ACTIVE, erc20_cap=None)

    assert PROVIDER.encode([call], ACTIVE)[:4].hex() == "8dd7712f"
    assert PROVIDER.encode([call], ACTIVE)[4:] == PROVIDER.encode([call])
    assert PROVIDER.encode([call], uncapped) == PROVIDER.encode([call])


# ---- signatures


def test_the_owner_and_a_grants_signer_sign_in_the_frame() -> None:
    assert PROVIDER.sign(HASH, OWNER) == b"\xff\x00" + personally(OWNER_KEY)
    assert PROVIDER.sign(HASH, CONTROLLER, ACTIVE) == b"\xff\x00" + personally(CONTROLLER_KEY)


def test_the_first_signature_carries_the_installation() -> None:
    call = modular_grant.install_call(PENDING)
    owners = bytes.fromhex(PENDING.signature[2:])

    expected = (
        (21 + 6 + len(call)).to_bytes(4, "big")
        + bytes(20)
        + b"\x01"
        + (1_500).to_bytes(6, "big")
        + call
        + (66).to_bytes(4, "big")
        + b"\x00"
        + owners
        + b"\xff\x00"
        + personally(CONTROLLER_KEY)
    )

    assert PROVIDER.sign(HASH, CONTROLLER, PENDING) == expected
    assert len(PROVIDER.dummy_signature(PENDING)) == len(expected)
    assert len(PROVIDER.dummy_signature(ACTIVE)) == 67


# ---- grants


def test_the_digest_is_what_a_wallet_program_signs() -> None:
    document = PROVIDER.typed_data(UNSIGNED)

    judged = Account.sign_message(encode_typed_data(full_message=document), OWNER_KEY)

    assert document["domain"] == {"chainId": 8453, "verifyingContract": UNSIGNED.wallet}
    assert judged.message_hash == PROVIDER.grant_digest(UNSIGNED)


def test_the_installation_reads_back() -> None:
    call = modular_grant.install_call(UNSIGNED)

    config, selectors, data, hooks = decode(
        ["bytes25", "bytes4[]", "bytes", "bytes[]"], call[4:], strict=True
    )

    assert call[:4] == keccak(b"installValidation(bytes25,bytes4[],bytes,bytes[])")[:4]
    assert config.hex() == SINGLE_SIGNER + ENTITY + "01"
    assert [item.hex() for item in selectors] == ["b61d27f6", "34fcd5be"]
    assert data == encode(["uint32", "address"], [7, CONTROLLER.address])
    assert [hook[:25].hex() for hook in hooks] == [
        ALLOWLIST + ENTITY + "01",
        TIME_RANGE + ENTITY + "01",
        ALLOWLIST + ENTITY + "04",
    ]
    transfer_and_approve = [bytes.fromhex("a9059cbb"), bytes.fromhex("095ea7b3")]
    assert hooks[0][25:] == encode(
        ["uint32", "(address,bool,bool,uint256,bytes4[])[]"],
        [
            7,
            [
                (TOKEN, True, True, 10**6, transfer_and_approve),
                (VAULT, True, False, 0, [bytes.fromhex("d0e30db0")]),
            ],
        ],
    )
    assert hooks[1][25:] == encode(["uint32", "uint48", "uint48"], [7, 2_000, 1_000])
    assert hooks[2][25:] == b""


def test_without_a_spend_cap_nothing_hooks_into_execution() -> None:
    call = modular_grant.install_call(replace(UNSIGNED, erc20_cap=None))

    hooks = decode(["bytes25", "bytes4[]", "bytes", "bytes[]"], call[4:])[3]

    assert len(hooks) == 2


def test_the_owner_takes_a_grant_back_by_its_entity() -> None:
    call = PROVIDER.revoke_call(ACTIVE)

    entity, data, hooks = decode(["bytes24", "bytes", "bytes[]"], call.data[4:], strict=True)

    assert (call.to, call.value) == (ACTIVE.wallet, 0)
    assert call.data[:4] == keccak(b"uninstallValidation(bytes24,bytes,bytes[])")[:4]
    assert entity.hex() == SINGLE_SIGNER + ENTITY
    assert data == encode(["uint32"], [7])
    assert hooks == ()


def test_a_grant_for_native_transfers_is_refused() -> None:
    native = replace(UNSIGNED, permissions=(Permission(VAULT, NATIVE_TRANSFER, 1),))

    with pytest.raises(NotImplementedHere):
        PROVIDER.typed_data(native)
