"""Revert data in words."""

from __future__ import annotations

import pytest
from eth_abi import encode
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.reverts import revert_reason
from web3 import Web3

from tests.unit.evm.abi.entries import error

ALICE = "0x52908400098527886E0F7030069857D2E4169EE7"


def reverted(signature: str, *values: object) -> bytes:
    kinds = [kind for kind in signature.partition("(")[2][:-1].split(",") if kind]
    return bytes(Web3.keccak(text=signature)[:4]) + encode(kinds, values)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "reverted without a reason"),
        ("0x", "reverted without a reason"),
        ("nonsense", "reverted without a reason"),
        (reverted("Error(string)", "too low"), "too low"),
        (reverted("Error(string)", ""), "reverted without a reason"),
        (reverted("Error(string)", "a\nb\x1b[31m"), "a b [31m"),
        (reverted("Error(string)", "x" * 5000), "x" * 497 + "..."),
        (reverted("Panic(uint256)", 0x11), "panic 0x11: arithmetic overflow or underflow"),
        (reverted("Panic(uint256)", 0x99), "panic 0x99: of an unknown kind"),
        (
            reverted("FailedOp(uint256,string)", 0, "AA24 signature error"),
            'FailedOp(opIndex: 0, reason: "AA24 signature error")',
        ),
        (b"\x01\x02\x03\x04", "reverted with the unknown error 0x01020304"),
        (b"\x01", "reverted with the unknown error 0x01"),
        (bytes.fromhex("08c379a0") + b"\xff" * 64, "reverted with the unknown error 0x08c379a0"),
    ],
)
def test_reasons(data: bytes | str, reason: str) -> None:
    assert revert_reason(data) == reason


def test_an_error_of_the_contract_is_shown_with_its_arguments() -> None:
    # Given a contract with an error of its own
    abi = ContractAbi.parse(
        [error("Refused", "address who", "uint256 need", "bool", "uint8[] path")]
    )

    # When it reverts with it; Then name and arguments are told, also from hex
    data = reverted("Refused(address,uint256,bool,uint8[])", ALICE, 2, True, [1, 2])
    expected = f'Refused(who: {ALICE}, need: 2, true, path: ["1", "2"])'
    assert revert_reason(data, abi) == expected
    assert revert_reason("0x" + data.hex(), abi) == expected


def test_errors_of_the_standards_need_no_abi() -> None:
    data = reverted("ERC20InsufficientBalance(address,uint256,uint256)", ALICE, 1, 2)
    assert revert_reason(data) == (
        f"ERC20InsufficientBalance(sender: {ALICE}, balance: 1, needed: 2)"
    )
