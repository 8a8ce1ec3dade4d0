"""Operations on the chain itself, found by EntryPoint's event whoever brought them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from task_engine.evm.entry_point import USER_OPERATION_EVENT, EntryPoint
from task_engine.evm.eth_call import LATEST, RpcRequest, eth_call, quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.ports import Outcome
from task_engine.evm.senders.receipt import (
    Receipt,
    read_receipt,
    topics_of,
    words_of,
)
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.operation import OperationStatus

# What public nodes allow per eth_getLogs at least, and how many of those are asked for at once.
_WINDOW = 1000
_MOST_WINDOWS = 100


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the chain says of an operation; `head` is the newest block.

    `other` is the hash of another operation that used the same nonce, in block `other_block`;
    `extra` are the answers to the calls that the search took along.
    """

    head: int
    extra: tuple[JsonValue, ...]
    receipt: Receipt | None = None
    other: str = ""
    other_block: int = 0
    included: bool = False


class ChainSearch:
    """Of one chain and EntryPoint; what has fewer than `confirmations` blocks above it may still
    go away and counts as under way."""

    def __init__(
        self, rpc: RpcPort, entry_point: EntryPoint, confirmations: int, window: int = _WINDOW
    ) -> None:
        self._rpc = rpc
        self._point = entry_point
        self._entry_point = entry_point.address
        self._confirmations = confirmations
        self._window = window

    def see(
        self, op: UserOperation, record: SentRecord, extra: Sequence[RpcRequest] = ()
    ) -> Sighting:
        """One round trip; one more when another's transaction carried the operation. Raises
        RpcError."""
        # What the caller wants to know is asked for first: when it says that a transaction is
        # mined, the logs that come after it have it.
        calls: list[RpcRequest] = [
            *extra,
            ("eth_blockNumber", []),
            *by_hash("eth_getTransactionReceipt", record),
            ("eth_getLogs", [self._query(op, record.first_block, "latest")]),
        ]
        answers = self._rpc.batch(calls)
        given = tuple(_answer(answer) for answer in answers[:-1])
        head = quantity(given[len(extra)])
        seen = Sighting(head, given[: len(extra)])
        for transaction in given[len(extra) + 1 :]:
            receipt = self._receipt(transaction, record)
            if receipt is not None:
                return Sighting(head, seen.extra, receipt)
        logs = answers[-1]
        found = self._windows(op, record, head) if isinstance(logs, RpcError) else _rows(logs)
        return self._matched(op, record, seen, found)

    def outcome(self, seen: Sighting, record: SentRecord) -> Outcome | None:
        """The outcome when the chain knows of the operation, else None."""
        if seen.receipt is not None:
            if seen.head - seen.receipt.block_number < self._confirmations:
                return Outcome(OperationStatus.SENT, record, reason="waiting for confirmations")
            done = seen.receipt.success
            status = OperationStatus.CONFIRMED if done else OperationStatus.FAILED
            return Outcome(status, record, seen.receipt)
        if seen.other:
            if seen.head - seen.other_block < self._confirmations:
                return Outcome(OperationStatus.SENT, record, reason="waiting for confirmations")
            reason = "another operation of the wallet used its nonce"
            return Outcome(OperationStatus.DROPPED, record, reason=reason, replaced_by=seen.other)
        if seen.included:
            return Outcome(OperationStatus.SENT, record, reason="waiting for its receipt")
        return None

    def told(self, tx_hash: str, record: SentRecord) -> Outcome:
        """The outcome by a transaction that somebody says has it."""
        number, transaction = self._rpc.batch(
            [("eth_blockNumber", []), ("eth_getTransactionReceipt", [tx_hash])]
        )
        receipt = self._receipt(_answer(transaction), record)
        seen = Sighting(quantity(number), (), receipt, included=True)
        return self.outcome(seen, record) or Outcome(OperationStatus.SENT, record)

    def nonce_used(self, op: UserOperation) -> bool:
        """Whether EntryPoint has taken an operation with that nonce; one round trip."""
        method, params = self.nonce_call(op)
        return quantity(self._rpc.call(method, *params)) > op.nonce

    def nonce_call(self, op: UserOperation, block: str = LATEST) -> RpcRequest:
        """The question for the next nonce of the operation's key."""
        data = self._point.nonce_data(op.sender, op.nonce >> 64)
        return eth_call(self._entry_point, data, block=block)

    def _query(self, op: UserOperation, first: int, last: int | str) -> JsonValue:
        """All operations of the wallet: also one that took this one's nonce is to be seen."""
        sender = "0x" + bytes(12).hex() + op.sender.raw.hex()
        return {
            "address": self._entry_point,
            "topics": [USER_OPERATION_EVENT, None, sender],
            "fromBlock": hex(first),
            "toBlock": hex(last) if isinstance(last, int) else last,
        }

    def _windows(self, op: UserOperation, record: SentRecord, head: int) -> list[JsonObject]:
        """For nodes that refuse long ranges: the newest windows of them, in one batch."""
        starts = range(record.first_block, head + 1, self._window)[-_MOST_WINDOWS:]
        answers = self._rpc.batch(
            [("eth_getLogs", [self._query(op, s, min(s + self._window - 1, head))]) for s in starts]
        )
        return [log for answer in answers for log in _rows(_answer(answer))]

    def _matched(
        self, op: UserOperation, record: SentRecord, seen: Sighting, logs: Sequence[JsonObject]
    ) -> Sighting:
        for log in logs:
            if log.get("removed") or words_of(str(log["data"]), 1)[0] != op.nonce:
                continue
            other = topics_of(log)[1]
            if other != record.user_op_hash:
                block = quantity(log["blockNumber"])
                return Sighting(seen.head, seen.extra, other=other, other_block=block)
            transaction = self._rpc.call("eth_getTransactionReceipt", log["transactionHash"])
            receipt = self._receipt(transaction, record)
            return Sighting(seen.head, seen.extra, receipt, included=True)
        return seen

    def _receipt(self, transaction: JsonValue, record: SentRecord) -> Receipt | None:
        if not isinstance(transaction, dict) or transaction.get("blockNumber") is None:
            return None
        return read_receipt(transaction, self._entry_point, record.user_op_hash)


def by_hash(method: str, record: SentRecord) -> list[RpcRequest]:
    """That question for each of our transactions."""
    return [(method, [tx_hash]) for tx_hash in record.hashes]


def _answer(answer: JsonValue | RpcError) -> JsonValue:
    if isinstance(answer, RpcError):
        raise answer
    return answer


def _rows(logs: JsonValue) -> list[JsonObject]:
    return cast("list[JsonObject]", logs)
