"""Prices of gas, and how much of it operations need.

Prices: https://eips.ethereum.org/EIPS/eip-1559
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from task_engine.evm.entry_point import EntryPoint
from task_engine.evm.eth_call import quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonObject, JsonValue

# Intrinsic costs: https://eips.ethereum.org/EIPS/eip-2028 and eip-7623 (floor).
_TRANSACTION = 21_000
_ZERO_BYTE, _OTHER_BYTE = 4, 16
_FLOOR_ZERO_BYTE, _FLOOR_OTHER_BYTE = 10, 40
# What EntryPoint does for an operation outside of the measured parts, and around all of them.
_OPERATION_OVERHEAD = 18_000
_BUNDLE_OVERHEAD = 60_000


Answer: TypeAlias = "JsonValue | RpcError"


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: the most that is paid, and what of it goes to the block's maker."""

    max_fee: int
    priority_fee: int

    def raised(self, least: Fees) -> Fees:
        """At least an eighth more on both, which nodes want of a replacement, and at least
        `least`."""
        return Fees(
            max(_eighth_more(self.max_fee), least.max_fee),
            max(_eighth_more(self.priority_fee), least.priority_fee),
        )


def _eighth_more(price: int) -> int:
    return price + max(1, -(-price // 8))


FEE_CALLS: tuple[tuple[str, list[JsonValue]], ...] = (
    ("eth_getBlockByNumber", ["latest", False]),
    ("eth_maxPriorityFeePerGas", []),
)


def fees_of(block: Answer, tip: Answer, floor: int = 0) -> Fees:
    """From the answers to FEE_CALLS: room for the base fee to double, and a tip of at least
    `floor`. A node without a suggestion for the tip counts as suggesting nothing. Raises RpcError.
    """
    if isinstance(block, RpcError):
        raise block
    base = quantity(cast("JsonObject", block).get("baseFeePerGas") or "0x0")
    suggested = 0 if isinstance(tip, RpcError) else quantity(tip)
    priority = max(suggested, floor)
    return Fees(2 * base + priority, priority)


def market_fees(rpc: RpcPort, floor: int = 0) -> Fees:
    """What a transaction should offer now; one round trip. Raises RpcError."""
    block, tip = rpc.batch(list(FEE_CALLS))
    return fees_of(block, tip, floor)


def with_fees(op: UserOperation, fees: Fees) -> UserOperation:
    """The operation offering those prices; its signature no longer fits."""
    return replace(op, max_fee_per_gas=fees.max_fee, max_priority_fee_per_gas=fees.priority_fee)


def data_gas(data: bytes) -> int:
    """What data costs in a transaction."""
    zeros = data.count(0)
    return zeros * _ZERO_BYTE + (len(data) - zeros) * _OTHER_BYTE


def pre_verification_gas(op: UserOperation, entry_point: EntryPoint) -> int:
    """What the transaction costs besides the measured parts, for an operation that is alone in
    it: whoever sends it is paid back at least what they pay."""
    data = entry_point.handle_ops_data([op], op.sender)
    return _TRANSACTION + data_gas(data) + _OPERATION_OVERHEAD


def operation_gas(op: UserOperation) -> int:
    """The most that an operation is charged for."""
    return (
        op.call_gas_limit
        + op.verification_gas_limit
        + op.paymaster_verification_gas_limit
        + op.paymaster_post_op_gas_limit
        + op.pre_verification_gas
    )


def transaction_gas_limit(op: UserOperation, data: bytes) -> int:
    """Enough for handleOps with this one operation: a call passes on 63 of 64 parts (EIP-150)."""
    zeros = data.count(0)
    floor = zeros * _FLOOR_ZERO_BYTE + (len(data) - zeros) * _FLOOR_OTHER_BYTE
    used = operation_gas(op) * 64 // 63 + _BUNDLE_OVERHEAD
    return max(used + data_gas(data), _TRANSACTION + floor)
