"""Validation keeps to what bundlers take (ERC-7562): read from a trace of every instruction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from task_engine.evm.user_operation import UserOperation
from task_engine.evm.wallets.provider import TxCall

from tests.chain.rig import Rig, Sender, calling, word
from tests.chain.test_session_account import (
    CONTROLLER,
    FRIEND,
    Grant,
    grant,
    signed,
    spending,
    transfer,
    wallet,
)

__all__ = ["grant", "wallet"]

# OP-011 and OP-012; GAS is looked at by itself.
FORBIDDEN = {
    "BALANCE",
    "ORIGIN",
    "GASPRICE",
    "BLOCKHASH",
    "COINBASE",
    "TIMESTAMP",
    "NUMBER",
    "PREVRANDAO",
    "DIFFICULTY",
    "GASLIMIT",
    "BASEFEE",
    "BLOBHASH",
    "BLOBBASEFEE",
    "SELFBALANCE",
    "CREATE",
    "CREATE2",
    "SELFDESTRUCT",
    "INVALID",
    "EXTCODEHASH",
}
CALLS = {"CALL", "STATICCALL", "DELEGATECALL", "CALLCODE"}
OPERATION = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"


def trace(sender: Sender, operation: UserOperation) -> list[dict[str, Any]]:
    """Every instruction of the wallet's own in a validation, as its entry point calls it."""
    entry_point = sender.entry_point
    digest = operation.hash(entry_point, sender.rig.chain_id)
    fields = entry_point.hash_data(operation)[36:]
    name = f"validateUserOp({OPERATION},bytes32,uint256)"
    data = calling(name, word(96), digest, word(1_000)) + fields
    call = {"from": entry_point.address, "to": sender.address, "data": "0x" + data.hex()}
    answer: dict[str, Any] = sender.rig.node.call("debug_traceCall", call, "latest", {})
    returned = answer["returnValue"].removeprefix("0x")
    assert int(returned, 16) % 2**160 == 0, "the operation must be valid, to see all of it"
    # 1 is the clone, 2 the code that it borrows; deeper is the entry point taking its money.
    return [step for step in answer["structLogs"] if step["depth"] <= 2]


def require_rules(sender: Sender, steps: list[dict[str, Any]]) -> None:
    names = [step["op"] for step in steps]
    called = [
        int(step["stack"][-2], 16)
        for step in steps
        if step["op"] in CALLS and step["op"] != "DELEGATECALL"
    ]
    gas_used_as_number = [
        position
        for position, name in enumerate(names[:-1])
        if name == "GAS" and names[position + 1] not in CALLS
    ]
    looked_at = {int(step["stack"][-1], 16) for step in steps if step["op"].startswith("EXTCODE")}
    implementation = sender.provider.factory
    delegated = {int(step["stack"][-2], 16) for step in steps if step["op"] == "DELEGATECALL"}
    own_code = sender.rig.read(implementation, calling("accountImplementation()"))

    assert FORBIDDEN.isdisjoint(names)
    assert not gas_used_as_number
    assert set(called) <= {1, int(sender.entry_point.address, 16)}
    assert looked_at == {int(sender.address, 16)}
    assert delegated == {int.from_bytes(own_code, "big")}
    assert {step["depth"] for step in steps} == {1, 2}


def test_validation_under_a_grant_with_both_sums(rig: Rig, wallet: Sender, grant: Grant) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))
    capped = spending(signed(replace(grant, gas_cap=10**18)), rig.token, 100)
    operation = wallet.operation(transfer(rig, 1), signer=CONTROLLER, grant=capped)

    steps = trace(wallet, operation)

    require_rules(wallet, steps)
    assert [step["op"] for step in steps].count("SSTORE") == 2


def test_validation_under_a_grant_writes_nothing_without_sums(
    rig: Rig, wallet: Sender, grant: Grant
) -> None:
    wallet.run(wallet.operation(TxCall(FRIEND, 1)))
    operation = wallet.operation(
        TxCall(FRIEND, 1), TxCall(FRIEND, 2), signer=CONTROLLER, grant=grant
    )

    steps = trace(wallet, operation)

    require_rules(wallet, steps)
    assert "SSTORE" not in [step["op"] for step in steps]
