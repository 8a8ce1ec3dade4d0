"""The entry points of ERC-4337 at their canonical addresses, and calls to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from task_engine.evm import encoding
from task_engine.evm.address import Address, keccak256
from task_engine.evm.user_operation import PackedOperation, UserOperation

# UserOperationEvent(bytes32 indexed userOpHash, address indexed sender, address indexed paymaster,
#   uint256 nonce, bool success, uint256 actualGasCost, uint256 actualGasUsed)
USER_OPERATION_EVENT = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"
# UserOperationRevertReason(bytes32 indexed userOpHash, address indexed sender,
#   uint256 nonce, bytes revertReason)
USER_OPERATION_REVERT_REASON = "0x1c4fada7374c0a9ee8841fc38afe82932dc0f8e69012e927f061a8bae611a201"
# FailedOp(uint256 opIndex, string reason)
FAILED_OP = bytes.fromhex("220266b6")

_HANDLE_OPS = bytes.fromhex("765e827f")
_GET_NONCE = bytes.fromhex("35567e1a")
_BALANCE_OF = bytes.fromhex("70a08231")
_DEPOSIT_TO = bytes.fromhex("b760faf9")
_GET_USER_OP_HASH = bytes.fromhex("22cdde4c")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One version of the contract that checks, pays for and runs operations."""

    version: str
    address: Address

    def handle_ops_data(self, operations: Sequence[UserOperation], beneficiary: Address) -> bytes:
        """Call data of `handleOps`: the operations in order, gas paid to `beneficiary`."""
        packed = encoding.array([packed_structure(item) for item in operations])
        return _HANDLE_OPS + encoding.sequence(packed, encoding.address(beneficiary))

    def nonce_data(self, sender: Address, key: int) -> bytes:
        """Call data of `getNonce`; its answer is the whole next nonce of that 192-bit key."""
        return _GET_NONCE + encoding.address(sender) + encoding.number(key)

    def deposit_data(self, account: Address) -> bytes:
        """Call data of `balanceOf`: wei that the account has deposited for gas."""
        return _BALANCE_OF + encoding.address(account)

    def deposit_to_data(self, account: Address) -> bytes:
        """Call data of `depositTo`; the value sent with it becomes the account's deposit."""
        return _DEPOSIT_TO + encoding.address(account)

    def hash_data(self, operation: UserOperation) -> bytes:
        """Call data of `getUserOpHash`."""
        return _GET_USER_OP_HASH + encoding.sequence(packed_structure(operation))


ENTRY_POINTS = {
    "0.7": EntryPoint("0.7", Address("0x0000000071727De22E5E9d8BAf0edAc6f37da032")),
    "0.8": EntryPoint("0.8", Address("0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108")),
}


def nonce_of(key: int, sequence: int = 0) -> int:
    """The nonce number `sequence` (64 bits) of a key (192 bits)."""
    return key << 64 | sequence


def key_of(operation_id: str) -> int:
    """A nonce key that belongs to one operation: 192 bits of its id's hash.

    With sequence 0 the chain itself takes the operation once at most, whoever sends it how often.
    """
    return int.from_bytes(keccak256(operation_id.encode("utf-8"))[:24], "big")


def packed_structure(operation: UserOperation) -> encoding.Tail:
    """The struct PackedUserOperation, as the contracts take it."""
    packed: PackedOperation = operation.packed()
    sender, nonce, init_code, call_data, limits, pre_gas, fees, paymaster, signature = packed
    return encoding.structure(
        encoding.address(sender),
        encoding.number(nonce),
        encoding.dynamic_bytes(init_code),
        encoding.dynamic_bytes(call_data),
        limits,
        encoding.number(pre_gas),
        fees,
        encoding.dynamic_bytes(paymaster),
        encoding.dynamic_bytes(signature),
    )
