"""Operations sent by a bundler service over JSON-RPC (ERC-7769).

https://eips.ethereum.org/EIPS/eip-7769
"""

from __future__ import annotations

from task_engine.errors import NodeError
from task_engine.evm.entry_point import EntryPoint
from task_engine.evm.eth_call import quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.chain_search import ChainSearch
from task_engine.evm.senders.failures import BundlerUnavailable, bundler_failure
from task_engine.evm.senders.ports import Outcome, Save
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import OperationStatus

_KNOWN = ("already known", "already in mempool", "already pending", "already submitted")


class HttpBundler:
    """Implements Sender; `rpc` is the chain's node, `bundler` the service.

    What is on chain is read from the node alone: a service that is down, forgets or lies delays
    nothing that is there already.
    """

    def __init__(
        self, rpc: RpcPort, bundler: RpcPort, entry_point: EntryPoint, confirmations: int = 0
    ) -> None:
        self._rpc = rpc
        self._bundler = bundler
        self._entry_point = entry_point
        self._search = ChainSearch(rpc, entry_point, confirmations)

    def look(self, op: UserOperation, record: SentRecord) -> Outcome:
        """As Sender says: the node is asked; then the service, for the transaction that it made."""
        outcome = self._seen(op, record)
        if outcome is not None:
            return outcome
        try:
            told = self._bundler.call("eth_getUserOperationReceipt", record.user_op_hash)
        except RpcError as error:
            return Outcome(OperationStatus.SENT, record, reason=bundler_failure(error).message)
        tx_hash = _transaction_of(told)
        if not tx_hash:
            return Outcome(OperationStatus.SENT, record)
        return self._search.told(tx_hash, record)

    def send(self, op: UserOperation, record: SentRecord | None, save: Save) -> Outcome:
        """As Sender says. Raises OperationRefused, RpcError (of the node)."""
        fresh = record is None
        if record is None:
            op_hash = "0x" + op.hash(self._entry_point, self._rpc.chain_id).hex()
            record = SentRecord.starting(op_hash, quantity(self._rpc.call("eth_blockNumber")))
            save(record)
        else:
            outcome = self.look(op, record)
            if outcome.status.final or outcome.reason or self._knows(record):
                return outcome
        try:
            self._bundler.call("eth_sendUserOperation", op.wire(), self._entry_point.address)
        except RpcError as error:
            if any(words in error.message.lower() for words in _KNOWN):
                return Outcome(OperationStatus.SENT, record)
            return self._not_taken(op, record, bundler_failure(error), fresh=fresh)
        return Outcome(OperationStatus.SENT, record)

    def _seen(self, op: UserOperation, record: SentRecord) -> Outcome | None:
        return self._search.outcome(self._search.see(op, record), record)

    def _knows(self, record: SentRecord) -> bool:
        """Whether the service still has it; one that can't say has not: sending again is safe."""
        try:
            return bool(self._bundler.call("eth_getUserOperationByHash", record.user_op_hash))
        except RpcError:
            return False

    def _not_taken(
        self, op: UserOperation, record: SentRecord, failure: NodeError, *, fresh: bool
    ) -> Outcome:
        """After a refusal, which may also mean that it is on chain already."""
        status = OperationStatus.PREPARED if fresh else OperationStatus.SENT
        if isinstance(failure, BundlerUnavailable):
            return Outcome(status, record, reason=failure.message)
        used = self._search.nonce_used(op)
        outcome = self._seen(op, record) if used else None
        if outcome is not None:
            return outcome
        if used and not fresh:
            return Outcome(status, record, reason=failure.message)
        if fresh:
            raise failure
        return Outcome(OperationStatus.DROPPED, record, reason=failure.message, error=failure)


def _transaction_of(told: JsonValue) -> str:
    """The hash of the transaction in a bundler's receipt; "" while there is none."""
    if not isinstance(told, dict):
        return ""
    inner = told.get("receipt")
    found = inner.get("transactionHash") if isinstance(inner, dict) else None
    return found if isinstance(found, str) else ""
