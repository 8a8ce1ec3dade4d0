"""Logs decoded by a contract's interface."""

from __future__ import annotations

import pytest
from eth_abi import encode
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.events import decode_log
from web3 import Web3

from tests.unit.evm.abi.entries import event

ALICE = "0x52908400098527886E0F7030069857D2E4169EE7"
BOB = "0x8617E340B3D01FA5F11F306F4090FD50E238070D"
ERC20 = event("Transfer", "address indexed from", "address indexed to", "uint256 value")
ERC721 = event("Transfer", "address indexed from", "address indexed to", "uint256 indexed tokenId")


def log(signature: str, indexed: list[tuple[str, object]], data: bytes = b"") -> dict[str, object]:
    topics = [Web3.keccak(text=signature), *(encode([kind], [value]) for kind, value in indexed)]
    return {
        "address": BOB,
        "topics": ["0x" + bytes(topic).hex() for topic in topics],
        "data": "0x" + data.hex(),
    }


TRANSFER = log(
    "Transfer(address,address,uint256)",
    [("address", ALICE), ("address", BOB)],
    encode(["uint256"], [2**200]),
)


def test_a_log_becomes_its_event() -> None:
    # Given a transfer's log; When it is decoded
    decoded = decode_log(ContractAbi.parse([ERC20]), TRANSFER)

    # Then indexed and stored fields stand together in the order of the event
    assert decoded is not None
    assert decoded.name == "Transfer"
    assert decoded.signature == "Transfer(address,address,uint256)"
    assert list(decoded.fields.items()) == [("from", ALICE), ("to", BOB), ("value", str(2**200))]


def test_web3_reads_the_same() -> None:
    # Given web3's reading of the log
    contract = Web3().eth.contract(abi=[ERC20])
    whole = {
        **TRANSFER,
        "topics": [bytes.fromhex(str(t)[2:]) for t in TRANSFER["topics"]],
        "blockNumber": 1,
        "blockHash": bytes(32),
        "transactionHash": bytes(32),
        "transactionIndex": 0,
        "logIndex": 0,
        "removed": False,
    }
    theirs = contract.events.Transfer().process_log(whole)["args"]

    # When ours is made; Then the values are equal
    decoded = decode_log(ContractAbi.parse([ERC20]), TRANSFER)
    assert decoded is not None
    assert decoded.fields == {name: str(value) for name, value in theirs.items()}


def test_the_number_of_topics_tells_two_standards_apart() -> None:
    # Given an ABI with both Transfers and a log of the second
    abi = ContractAbi.parse([ERC20, ERC721])
    indexed = [("address", ALICE), ("address", BOB), ("uint256", 7)]
    decoded = decode_log(abi, log("Transfer(address,address,uint256)", indexed))

    # Then it is the one whose fields are all indexed
    assert decoded is not None
    assert decoded.fields["tokenId"] == "7"


def test_an_indexed_text_is_its_hash() -> None:
    # Given an event with an indexed text, struct and negative number
    abi = ContractAbi.parse([event("Said", "string indexed what", "int8 indexed n", "bool")])
    hashed = Web3.keccak(text="hello")
    raw = log(
        "Said(string,int8,bool)", [("bytes32", hashed), ("int8", -3)], encode(["bool"], [True])
    )

    # When its log is decoded; Then only the hash is known of the text
    decoded = decode_log(abi, raw)
    assert decoded is not None
    assert decoded.fields == {"what": "0x" + hashed.hex(), "n": "-3", "arg_2": "true"}


@pytest.mark.parametrize(
    "foreign",
    [
        {},
        {"topics": [], "data": "0x"},
        {**TRANSFER, "topics": TRANSFER["topics"][:2]},
        {**TRANSFER, "topics": [*TRANSFER["topics"], "0x" + "00" * 32]},
        {**TRANSFER, "topics": [*TRANSFER["topics"][:2], "0x12"]},
        {**TRANSFER, "topics": [*TRANSFER["topics"][:2], "0x" + "ff" * 32]},
        {**TRANSFER, "data": "0x"},
        {**TRANSFER, "data": "0xzz"},
        {**TRANSFER, "data": None},
        log("Approval(address,address,uint256)", [("address", ALICE), ("address", BOB)]),
    ],
)
def test_anything_else_is_none(foreign: dict[str, object]) -> None:
    assert decode_log(ContractAbi.parse([ERC20]), foreign) is None


def test_an_anonymous_event_is_never_taken_for_one() -> None:
    anonymous = event(
        "Transfer", "address indexed a", "address indexed b", "uint256 c", anonymous=True
    )
    assert decode_log(ContractAbi.parse([anonymous]), TRANSFER) is None
