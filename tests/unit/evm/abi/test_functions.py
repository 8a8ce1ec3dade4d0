"""Functions of a contract's interface: from what users write to call data, and back."""

from __future__ import annotations

import pytest
from eth_abi import encode
from task_engine.errors import NodeError
from task_engine.evm.abi.item import AbiFunction, ContractAbi
from web3 import Web3

ALICE = "0x52908400098527886E0F7030069857D2E4169EE7"


def test_a_call_is_encoded_as_web3_encodes_it() -> None:
    # Given an ERC-20's transfer
    items = [function("transfer", ["address to", "uint256 amount"])]
    method = ContractAbi.parse(items).function("transfer")

    # When a user's texts are encoded
    data = method.encode([f" {ALICE.lower()} ", "010"])

    # Then they are what web3 makes of the typed values, "010" being ten
    contract = Web3().eth.contract(abi=items)
    assert "0x" + data.hex() == contract.encode_abi("transfer", args=[ALICE, 10])


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("uint256", " 42 ", 42),
        ("uint8", "0xff", 255),
        ("int8", "-128", -128),
        ("uint256", 7, 7),
        ("uint256", 7.0, 7),
        ("uint256", str(2**256 - 1), 2**256 - 1),
        ("bool", "TRUE", True),
        ("bool", "0", False),
        ("bool", True, True),
        ("bool", 1, True),
        ("bytes", "0x00Ff", b"\x00\xff"),
        ("bytes", "h\u00e9", b"h\xc3\xa9"),
        ("bytes", "", b""),
        ("bytes4", "0xa9059cbb", bytes.fromhex("a9059cbb")),
        ("bytes32", "USD", b"USD"),
        ("string", "", ""),
        ("string", "[1]", "[1]"),
        ("string", 5, "5"),
        ("uint256[]", '[1, "2", "0x3"]', [1, 2, 3]),
        ("uint256[]", [], []),
        ("uint8[2][]", [["1", 2], "[3, 4]"], [[1, 2], [3, 4]]),
        ("uint", "1", 1),
    ],
)
def test_what_users_write_becomes_the_value(kind: str, written: object, value: object) -> None:
    # Given a method of one parameter; When it is encoded
    data = method_of(f"{kind} x").encode([written])

    # Then it is the plain encoding of the typed value
    assert data[4:] == encode([kind], [value])


@pytest.mark.parametrize(
    ("kind", "written", "reason"),
    [
        ("uint8", "256", "out of range"),
        ("uint8", "-1", "out of range"),
        ("int8", "128", "out of range"),
        ("uint256", "1" * 5000, "out of range"),
        ("uint256", "1.5", "not a whole number"),
        ("uint256", "1e18", "not a whole number"),
        ("uint256", "1_000", "not a whole number"),
        ("uint256", "\u0661", "not a whole number"),
        ("uint256", "", "not a whole number"),
        ("uint256", 1.5, "not a whole number"),
        ("uint256", 1e30, "not a whole number"),
        ("uint256", True, "not a whole number"),
        ("uint256", None, "is missing"),
        ("bool", "yes", "neither true nor false"),
        ("bool", 2, "neither true nor false"),
        ("bytes", "0xabc", "pairs of hexadecimal"),
        ("bytes", "0xzz", "pairs of hexadecimal"),
        ("bytes", 5, "neither 0x"),
        ("bytes4", "0xa9059c", "needs 4 bytes, not 3"),
        ("bytes4", "hello", "needs 4 bytes, not 5"),
        ("bytes32", "", "needs 32 bytes, not 0"),
        ("string", "\ud800", "lone surrogate"),
        ("uint256[]", "1,2", "not JSON"),
        ("uint256[]", "5", "not a JSON array"),
        ("uint256[]", "[" * 100_000, "not JSON"),
        ("uint256[2]", "[1]", "needs 2 elements, not 1"),
    ],
)
def test_a_value_that_does_not_fit_names_the_place(kind: str, written: object, reason: str) -> None:
    # Given a method of one parameter; When something unfit is encoded
    with pytest.raises(NodeError, match=reason) as caught:
        method_of(f"{kind} amount").encode([written])

    # Then the error names the method and the parameter
    assert "method run: parameter 1 amount" in caught.value.message
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def function(name: str, inputs: list[str], outputs: tuple[str, ...] = ()) -> dict[str, object]:
    """An ABI entry, parameters as "type name"."""

    def parameter(text: str) -> dict[str, object]:
        kind, _, own = text.partition(" ")
        return {"type": kind, "name": own}

    return {
        "type": "function",
        "name": name,
        "inputs": [parameter(text) for text in inputs],
        "outputs": [parameter(text) for text in outputs],
        "stateMutability": "nonpayable",
    }


def method_of(*inputs: str) -> AbiFunction:
    return ContractAbi.parse([function("run", list(inputs))]).function("run")
