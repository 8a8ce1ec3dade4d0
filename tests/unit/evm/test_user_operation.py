"""UserOperations on the wire and packed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.errors import InvalidRequest
from task_engine.evm.address import Address
from task_engine.evm.user_operation import UserOperation

PLAIN = UserOperation(
    sender=Address("0x" + "11" * 20),
    nonce=2**64,
    call_data=b"\x01",
    call_gas_limit=1,
    verification_gas_limit=2,
    pre_verification_gas=3,
    max_fee_per_gas=4,
    max_priority_fee_per_gas=5,
    signature=b"\x06",
)
FULL = replace(
    PLAIN,
    factory=Address("0x" + "22" * 20),
    factory_data=b"\x07",
    paymaster=Address("0x" + "33" * 20),
    paymaster_verification_gas_limit=8,
    paymaster_post_op_gas_limit=9,
    paymaster_data=b"\x0a",
)


def test_absent_groups_are_left_out() -> None:
    assert PLAIN.wire() == {
        "sender": "0x" + "11" * 20,
        "nonce": "0x10000000000000000",
        "callData": "0x01",
        "callGasLimit": "0x1",
        "verificationGasLimit": "0x2",
        "preVerificationGas": "0x3",
        "maxFeePerGas": "0x4",
        "maxPriorityFeePerGas": "0x5",
        "signature": "0x06",
    }


def test_groups_are_whole() -> None:
    assert (
        FULL.wire().items()
        >= {
            "factory": "0x" + "22" * 20,
            "factoryData": "0x07",
            "paymaster": "0x" + "33" * 20,
            "paymasterVerificationGasLimit": "0x8",
            "paymasterPostOpGasLimit": "0x9",
            "paymasterData": "0x0a",
        }.items()
    )


@pytest.mark.parametrize("operation", [PLAIN, FULL])
def test_the_wire_form_reads_back(operation: UserOperation) -> None:
    assert UserOperation.from_wire(operation.wire()) == operation


def test_the_packed_form_puts_verification_and_priority_first() -> None:
    packed = FULL.packed()

    assert packed[2] == b"\x22" * 20 + b"\x07"
    assert packed[4] == (2).to_bytes(16, "big") + (1).to_bytes(16, "big")
    assert packed[6] == (5).to_bytes(16, "big") + (4).to_bytes(16, "big")
    assert packed[7] == b"\x33" * 20 + bytes(15) + b"\x08" + bytes(15) + b"\x09" + b"\x0a"


def test_the_signature_is_not_hashed() -> None:
    class Place:
        version = "0.7"
        address = Address("0x" + "44" * 20)

    assert PLAIN.hash(Place(), 1) == replace(PLAIN, signature=b"").hash(Place(), 1)
    assert PLAIN.hash(Place(), 1) != PLAIN.hash(Place(), 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"factory_data": b"\x01"},
        {"paymaster_data": b"\x01"},
        {"paymaster_post_op_gas_limit": 1},
        {"call_gas_limit": 2**128},
        {"max_fee_per_gas": 2**128},
        {"nonce": 2**256},
        {"verification_gas_limit": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_half_groups_and_numbers_without_room_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        replace(PLAIN, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"factoryData": "0x"},
        {"paymasterData": "0x"},
        {"paymasterPostOpGasLimit": "0x0"},
        {"nonce": "5"},
        {"nonce": 5},
        {"callData": "0xzz"},
        {"sender": "0x12"},
        {"maxFeePerGas": "0x"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_malformed_wire_form_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        UserOperation.from_wire({**PLAIN.wire(), **wrong})  # type: ignore[dict-item]
