"""Call data of a wallet's `execute` and `executeBatch`, alike in most kinds of wallets."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.evm import encoding
from task_engine.evm.wallets.provider import TxCall

EXECUTE = bytes.fromhex("b61d27f6")
EXECUTE_BATCH = bytes.fromhex("34fcd5be")


def encode_calls(calls: Sequence[TxCall]) -> bytes:
    """`execute(address,uint256,bytes)` for one, `executeBatch((address,uint256,bytes)[])` else."""
    if len(calls) == 1:
        return EXECUTE + encoding.sequence(*_fields(calls[0]))
    return EXECUTE_BATCH + encoding.sequence(
        encoding.array([encoding.structure(*_fields(call)) for call in calls])
    )


def _fields(call: TxCall) -> tuple[bytes, bytes, encoding.Tail]:
    return (
        encoding.address(call.to),
        encoding.number(call.value),
        encoding.dynamic_bytes(call.data),
    )
