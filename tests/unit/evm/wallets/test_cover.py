"""A grant's refusals in words, before anything is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.entry_point import ENTRY_POINTS
from task_engine.evm.wallets.cover import require_covered
from task_engine.evm.wallets.provider import TxCall
from task_engine.model.grant import NATIVE_TRANSFER, Grant, GrantStatus, Permission, SpendCap

TOKEN = Address("0x" + "aa" * 20)
FRIEND = Address("0x" + "bb" * 20)
WALLET = Address("0x" + "cc" * 20)
TRANSFER = bytes.fromhex("a9059cbb")
APPROVE = bytes.fromhex("095ea7b3")
MINT = bytes.fromhex("40c10f19")

GRANT = Grant(
    id="0x" + "cd" * 32,
    owner="0x" + "01" * 20,
    wallet=WALLET,
    chain_id=1,
    entity_id=1,
    signer="0x" + "02" * 20,
    valid_after=100,
    valid_until=200,
    permissions=(
        Permission(TOKEN, "0xa9059cbb"),
        Permission(TOKEN, "0x095ea7b3"),
        Permission(TOKEN, "0x40c10f19"),
        Permission(FRIEND, NATIVE_TRANSFER, 5),
    ),
    erc20_cap=SpendCap(TOKEN, 100),
    signature="0x" + "03" * 65,
)


def moving(selector: bytes, amount: int) -> TxCall:
    return TxCall(TOKEN, 0, selector + bytes(12) + FRIEND.raw + amount.to_bytes(32, "big"))


def code(*calls: TxCall, grant: Grant = GRANT, now: int = 150) -> str:
    with pytest.raises(NodeError) as raised:
        require_covered(grant, calls, now)
    return raised.value.stable_code


@pytest.mark.parametrize("now", [100, 199])
def test_what_is_permitted_passes(now: int) -> None:
    require_covered(GRANT, [moving(TRANSFER, 60), moving(APPROVE, 40), TxCall(FRIEND, 5)], now)


def test_time_and_status() -> None:
    call = TxCall(FRIEND, 5)

    assert code(call, now=200) == "SESSION_POLICY_EXPIRED"
    assert code(call, now=99) == "SESSION_POLICY_NOT_ACTIVE"
    revoked = replace(GRANT, status=GrantStatus.REVOKED)
    assert code(call, grant=revoked) == "SESSION_POLICY_NOT_ACTIVE"
    assert code(call, grant=replace(GRANT, signature="")) == "SESSION_POLICY_NOT_ACTIVE"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (TxCall(Address("0x" + "ee" * 20), 0, TRANSFER), "SESSION_POLICY_TARGET_NOT_ALLOWED"),
        (TxCall(WALLET, 0, TRANSFER), "SESSION_POLICY_TARGET_NOT_ALLOWED"),
        (TxCall(ENTRY_POINTS["0.7"].address), "SESSION_POLICY_TARGET_NOT_ALLOWED"),
        (TxCall(FRIEND, 6), "SESSION_POLICY_VALUE_NOT_ALLOWED"),
        (TxCall(FRIEND, 1, TRANSFER), "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        (TxCall(FRIEND, 1, bytes(4)), "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        (TxCall(FRIEND, 1, b"\0"), "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        (TxCall(TOKEN), "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        (TxCall(TOKEN, 1, TRANSFER), "SESSION_POLICY_VALUE_NOT_ALLOWED"),
        (moving(MINT, 1), "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        (TxCall(TOKEN, 0, TRANSFER), "SESSION_POLICY_SELECTOR_NOT_ALLOWED"),
        (moving(TRANSFER, 101), "SESSION_POLICY_CAP_EXCEEDED"),
    ],
)
def test_each_refusal_has_its_code(call: TxCall, expected: str) -> None:
    assert code(call) == expected


def test_a_batch_is_added_up() -> None:
    assert code(moving(TRANSFER, 60), moving(APPROVE, 41)) == "SESSION_POLICY_CAP_EXCEEDED"
