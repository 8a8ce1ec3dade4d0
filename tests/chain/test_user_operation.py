"""Hashes and calls are those of the contracts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.evm.address import Address
from task_engine.evm.entry_point import ENTRY_POINTS
from task_engine.evm.user_operation import UserOperation
from web3 import Web3

from infra_cdk.local.contracts import load_artifact
from tests.chain.rig import BENEFICIARY, Rig

PLAIN = UserOperation(
    sender=Address("0x" + "11" * 20),
    nonce=(7 << 64) + 3,
    call_data=bytes.fromhex("b61d27f6") + b"\x01" * 45,
    call_gas_limit=100_001,
    verification_gas_limit=200_002,
    pre_verification_gas=50_003,
    max_fee_per_gas=3 * 10**9,
    max_priority_fee_per_gas=10**9 + 1,
    signature=b"\x05" * 65,
)
NEW_WALLET = replace(PLAIN, factory=Address("0x" + "22" * 20), factory_data=b"\x09" * 33)
SPONSORED = replace(
    NEW_WALLET,
    paymaster=Address("0x" + "33" * 20),
    paymaster_verification_gas_limit=80_001,
    paymaster_post_op_gas_limit=7,
    paymaster_data=b"\x0a" * 64,
)
OPERATIONS = {"plain": PLAIN, "new wallet": NEW_WALLET, "sponsored": SPONSORED}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
@pytest.mark.parametrize("version", ["0.7", "0.8"])
def test_the_hash_is_what_the_contract_answers(
    rig: Rig, version: str, operation: UserOperation
) -> None:
    entry_point = ENTRY_POINTS[version]

    answer = rig.read(entry_point.address, entry_point.hash_data(operation))

    assert operation.hash(entry_point, rig.chain_id) == answer


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_handle_ops_is_encoded_as_by_another_library(operation: UserOperation) -> None:
    entry_point = ENTRY_POINTS["0.7"]
    contract = Web3().eth.contract(abi=load_artifact("EntryPointV07")["abi"])
    both = [operation, PLAIN]

    judged = contract.encode_abi("handleOps", [[item.packed() for item in both], BENEFICIARY])

    assert entry_point.handle_ops_data(both, BENEFICIARY).hex() == judged.removeprefix("0x")


def test_a_nonce_and_a_deposit_are_asked_for(rig: Rig) -> None:
    entry_point = ENTRY_POINTS["0.7"]
    rig.node.send(entry_point.address, entry_point.deposit_to_data(PLAIN.sender), 5)

    assert rig.number(entry_point.address, entry_point.deposit_data(PLAIN.sender)) == 5
    assert rig.number(entry_point.address, entry_point.nonce_data(PLAIN.sender, 7)) == 7 << 64
