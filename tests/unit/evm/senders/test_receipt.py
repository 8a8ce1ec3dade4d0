"""One operation's part of a transaction that carries many."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.entry_point import USER_OPERATION_EVENT, USER_OPERATION_REVERT_REASON
from task_engine.evm.senders import receipt as module
from task_engine.evm.senders.receipt import Receipt, read_receipt

POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
TARGET = "0x" + "77" * 20
SENDER, PAYMASTER = Address("0x" + "22" * 20), Address("0x" + "33" * 20)
FIRST, SECOND, THIRD = ("0x" + f"{n:064x}" for n in (1, 2, 3))
BEFORE = "0x" + keccak256(b"BeforeExecution()").hex()
Log = dict[str, Any]


def log(address: str, topics: list[str], data: bytes = b"") -> Log:
    return {"address": address.lower(), "topics": topics, "data": "0x" + data.hex()}


def event(op_hash: str, *, success: bool = True, address: str = POINT) -> Log:
    numbers = (7, int(success), 5_000, 50)
    topics = [
        USER_OPERATION_EVENT,
        op_hash,
        *("0x" + encoding.address(a).hex() for a in (SENDER, PAYMASTER)),
    ]
    return log(address, topics, b"".join(encoding.number(n) for n in numbers))


def reason(op_hash: str, data: bytes, topic: str = USER_OPERATION_REVERT_REASON) -> Log:
    body = encoding.sequence(encoding.number(7), encoding.dynamic_bytes(data))
    return log(POINT, [topic, op_hash, "0x" + encoding.address(SENDER).hex()], body)


def other(name: str) -> Log:
    return log(TARGET, ["0x" + keccak256(name.encode()).hex()])


def read(logs: list[Log], op_hash: str = SECOND) -> Receipt | None:
    numbered: list[Log] = [{**one, "logIndex": hex(40 + n)} for n, one in enumerate(logs)]
    transaction: Log = {
        "transactionHash": "0xaa",
        "blockNumber": "0x10",
        "blockHash": "0xbb",
        "status": "0x1",
        "logs": numbered[::-1],  # the order of the answer does not matter
    }
    return read_receipt(transaction, POINT, op_hash)


def test_the_logs_of_an_operation_are_those_between_its_neighbours() -> None:
    found = read(
        [
            other("Validated"),
            log(POINT, [BEFORE]),
            other("One"),
            event(FIRST),
            other("Two"),
            other("TwoAgain"),
            event(SECOND),
            other("Three"),
            event(THIRD),
        ]
    )
    assert found is not None
    assert [entry["logIndex"] for entry in found.logs] == ["0x2c", "0x2d"]
    assert (found.sender, found.paymaster, found.nonce) == (SENDER, PAYMASTER, 7)
    assert (found.actual_gas_cost, found.actual_gas_used) == (5_000, 50)
    assert (found.block_number, found.success, found.revert_reason) == (16, True, b"")


def test_what_comes_before_the_executions_belongs_to_nobody() -> None:
    found = read([other("Validated"), log(POINT, [BEFORE]), other("One"), event(FIRST)], FIRST)
    assert found is not None
    assert [entry["logIndex"] for entry in found.logs] == ["0x2a"]


@pytest.mark.parametrize("topic", [USER_OPERATION_REVERT_REASON, "post"])
def test_the_reason_is_taken_out_of_the_logs(topic: str) -> None:
    topic = module._POST_OP_REVERT_REASON if topic == "post" else topic
    found = read([event(FIRST), reason(SECOND, b"why", topic), event(SECOND, success=False)])
    assert found is not None
    assert (found.success, found.revert_reason, found.logs) == (False, b"why", ())


def test_events_that_another_contract_writes_do_not_count() -> None:
    fake = event(SECOND, address=TARGET)
    assert read([fake]) is None
    found = read([event(FIRST), fake, other("Two"), event(SECOND, success=False)])
    assert found is not None
    assert not found.success
    assert len(found.logs) == 2


def test_an_operation_that_is_not_in_it_has_no_receipt() -> None:
    assert read([event(FIRST), event(THIRD)]) is None


def test_topics_are_the_hashes_of_the_events() -> None:
    signatures = {
        USER_OPERATION_EVENT: b"UserOperationEvent"
        b"(bytes32,address,address,uint256,bool,uint256,uint256)",
        USER_OPERATION_REVERT_REASON: b"UserOperationRevertReason(bytes32,address,uint256,bytes)",
        module._POST_OP_REVERT_REASON: b"PostOpRevertReason(bytes32,address,uint256,bytes)",
        module._BEFORE_EXECUTION: b"BeforeExecution()",
    }
    for topic, signature in signatures.items():
        assert topic == "0x" + keccak256(signature).hex()
