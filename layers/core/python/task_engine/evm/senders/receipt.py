"""What became of one operation, read out of its transaction's receipt.

EntryPoint's events: https://eips.ethereum.org/EIPS/eip-4337
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from task_engine.evm.address import Address
from task_engine.evm.entry_point import USER_OPERATION_EVENT, USER_OPERATION_REVERT_REASON
from task_engine.evm.eth_call import quantity
from task_engine.model.json_value import JsonObject

_POST_OP_REVERT_REASON = "0xf62676f440ff169a3a9afdbf812e89e7f95975ee8e5c31214ffdef631c5f4792"
_BEFORE_EXECUTION = "0xbb47ee3e183a558b1a2ff0874b079f3fc5478b7454eacf2bfc5af2ff5878f972"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An operation that is on chain.

    `success` says whether what the wallet was to do was done; if not, `revert_reason` is the revert
    data. `transaction` is the receipt of the whole transaction as the node gave it; `logs` are
    those of this operation alone, in order, without EntryPoint's own event of it. Gas cost in wei.
    """

    user_op_hash: str
    success: bool
    tx_hash: str
    block_number: int
    block_hash: str
    sender: Address
    nonce: int
    paymaster: Address
    actual_gas_cost: int
    actual_gas_used: int
    transaction: JsonObject
    logs: tuple[JsonObject, ...]
    revert_reason: bytes = b""


def read_receipt(transaction: JsonObject, entry_point: str, user_op_hash: str) -> Receipt | None:
    """The operation's part of a transaction's receipt; None when the operation is not in it.

    Events count only when EntryPoint itself made them: any contract can write the same topics.
    """
    logs = sorted(_logs(transaction), key=_index)
    own = [log for log in logs if _is_by(log, entry_point)]
    for event in own:
        if topics_of(event)[:2] == [USER_OPERATION_EVENT, user_op_hash]:
            start = _start_of(own, _index(event))
            part = [log for log in logs if start < _index(log) < _index(event)]
            return _receipt(transaction, event, part, entry_point)
    return None


def _start_of(own: Sequence[JsonObject], end: int) -> int:
    """Index of the last log before the operation's own: of the operation before it, or of the
    mark between validations and executions."""
    marks = (USER_OPERATION_EVENT, _BEFORE_EXECUTION)
    before = (_index(log) for log in own if topics_of(log)[:1] and topics_of(log)[0] in marks)
    return max((index for index in before if index < end), default=-1)


def _receipt(
    transaction: JsonObject, event: JsonObject, part: Sequence[JsonObject], entry_point: str
) -> Receipt:
    _, user_op_hash, sender, paymaster = topics_of(event)
    nonce, success, cost, used = words_of(str(event["data"]), 4)
    return Receipt(
        user_op_hash=user_op_hash,
        success=bool(success),
        tx_hash=str(transaction["transactionHash"]),
        block_number=quantity(transaction["blockNumber"]),
        block_hash=str(transaction["blockHash"]),
        sender=address_of(sender),
        nonce=nonce,
        paymaster=address_of(paymaster),
        actual_gas_cost=cost,
        actual_gas_used=used,
        transaction=transaction,
        logs=tuple(log for log in part if not _is_reason(log, entry_point)),
        revert_reason=_reason(part, entry_point),
    )


def _reason(part: Sequence[JsonObject], entry_point: str) -> bytes:
    """Revert data in the EntryPoint event that tells of it: (uint256 nonce, bytes reason)."""
    for log in part:
        if _is_reason(log, entry_point):
            data = bytes.fromhex(str(log["data"])[2:])
            return data[96 : 96 + int.from_bytes(data[64:96], "big")]
    return b""


def _is_reason(log: JsonObject, entry_point: str) -> bool:
    topic = topics_of(log)[:1]
    return _is_by(log, entry_point) and topic in (
        [USER_OPERATION_REVERT_REASON],
        [_POST_OP_REVERT_REASON],
    )


def _is_by(log: JsonObject, entry_point: str) -> bool:
    return str(log["address"]).lower() == entry_point.lower()


def _logs(transaction: JsonObject) -> list[JsonObject]:
    return cast("list[JsonObject]", transaction["logs"])


def topics_of(log: JsonObject) -> list[str]:
    """The topics of a log as 0x-hex."""
    return cast("list[str]", log["topics"])


def _index(log: Mapping[str, Any]) -> int:
    return quantity(log["logIndex"])


def address_of(topic: str) -> Address:
    """The address in a topic."""
    return Address("0x" + topic[-40:])


def words_of(data: str, count: int) -> list[int]:
    """The first `count` words of 0x-hex data as numbers."""
    raw = bytes.fromhex(data[2:])
    return [int.from_bytes(raw[32 * n : 32 * n + 32], "big") for n in range(count)]
