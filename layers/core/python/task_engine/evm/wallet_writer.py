"""Writes through smart wallets: prepared once, remembered before they are sent, sent once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from task_engine.errors import EngineError, NodeError, Unavailable
from task_engine.evm.orders import NotPrepared, Order, WriterPorts
from task_engine.evm.preparation import Preparation
from task_engine.evm.senders.failures import EXPIRED, NONCE_USED, OperationRefused
from task_engine.evm.senders.ports import Outcome, SenderBusy
from task_engine.evm.senders.receipt import Receipt
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.signer import Signer
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import FormerOperation, Operation, OperationStatus

# Seconds between looks before a function answers that it has to be called again: fast chains are
# done by then, and a look costs less than another walk through the state machine.
_LOOKS = (0.05, 0.15, 0.3, 0.5)
# How often one order is prepared anew after what was prepared for it had become void.
_RENEWALS = 3
# How long an order may wait to be prepared, and what was prepared may find nobody to take it.
_PATIENCE_MINUTES = 5
_PATIENCE_MS = _PATIENCE_MINUTES * 60_000


class WalletWriter:
    """Carries orders out. Whatever dies in between: an order's operation is stored before it is
    sent, and its nonce belongs to the order's name, so the chain takes it once at most.

    What can't be carried out any more as it was prepared (a sponsorship or a policy that ran out,
    gas limits that have become too low) is prepared anew with the same nonce: of all that an order
    was ever prepared as, one takes effect.
    """

    def __init__(
        self, ports: WriterPorts, controller: Signer, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ports = ports
        self._preparation = Preparation(ports, controller)
        self._sleep = sleep

    def write(self, order: Order) -> Operation:
        """How far the order is; call again while that is not final.

        Raises NodeError while nothing was sent: no wallet, no grant or one that does not cover the
        calls, calls that would revert, funds that are missing, a chain that does not answer;
        NotPrepared where such an obstacle may pass and whoever gave the order comes back.
        """
        operation = self._ports.operations.get(order.id)
        if operation is None:
            operation = self._ports.operations.create(self._prepared(order))
        while not operation.status.final:
            try:
                operation, outcome = self._carried(order, operation)
            except EngineError as error:
                return self._held_up(order, operation, error)
            if outcome is not None:
                return self._settled(operation, outcome)
        return operation

    def look(self, operation: Operation) -> Operation:
        """The same operation as the chain sees it now; sends nothing."""
        if operation.status.final or not operation.sent:
            return operation
        record = SentRecord.from_json(dict(operation.sent))
        sender = self._ports.lanes(operation.chain_id).sender
        return self._settled(operation, sender.look(_of(operation), record))

    def _prepared(self, order: Order) -> Operation:
        try:
            return self._preparation.prepare(order)
        except EngineError as error:
            if not (order.returns and _is_passing(error)):
                raise
            now = self._ports.clock.now_ms()
            since = self._ports.delays.since(order.id, now)
            if now - since < _PATIENCE_MS:
                raise NotPrepared(error, since) from error
            text = f"{error.message}; tried for {_PATIENCE_MINUTES} minutes, nothing was sent"
            raise NodeError(text, code=error.stable_code, retryable=True) from error

    def _held_up(self, order: Order, operation: Operation, error: EngineError) -> Operation:
        """The operation where it may go on later; raises `error` where that is of no use, or nobody
        would come back for what was never sent."""
        if isinstance(error, OperationRefused) or not _is_passing(error):
            raise error
        stored = self._ports.operations.get(operation.id) or operation
        age = self._ports.clock.now_ms() - stored.created_at
        if stored.status is OperationStatus.PREPARED and not (order.returns and age < _PATIENCE_MS):
            raise error
        return replace(stored, error=error.message)

    def _carried(self, order: Order, operation: Operation) -> tuple[Operation, Outcome | None]:
        """The operation as it is stored now, and where it stands; None where it was made anew."""
        try:
            operation, outcome = self._advance(operation)
        except OperationRefused as refused:
            renewed = self._renewed(order, operation, refused)
            if renewed is None:
                raise
            return renewed, None
        renewed = self._after_drop(order, operation, outcome)
        return (operation, outcome) if renewed is None else (renewed, None)

    def _advance(self, operation: Operation) -> tuple[Operation, Outcome]:
        """The operation as it is stored now, and where it stands."""
        sender = self._ports.lanes(operation.chain_id).sender
        stored = operation

        def save(record: SentRecord) -> None:
            nonlocal stored
            sent = replace(
                stored,
                sent=record.to_json(),
                status=OperationStatus.SENT,
                updated_at=self._ports.clock.now_ms(),
            )
            stored = self._ports.operations.save(sent)
            if stored.hash != operation.hash:
                raise SenderBusy("another process prepared the operation anew")

        record = SentRecord.from_json(dict(operation.sent)) if operation.sent else None
        outcome = sender.send(_of(operation), record, save)
        for pause in _LOOKS:
            if outcome.status is not OperationStatus.SENT:
                break
            self._sleep(pause)
            outcome = sender.look(_of(operation), outcome.record)
        return stored, outcome

    def _after_drop(self, order: Order, operation: Operation, outcome: Outcome) -> Operation | None:
        """Prepared anew where that may help what will never be included as it is; else None."""
        if outcome.status is not OperationStatus.DROPPED or outcome.replaced_by:
            return None
        try:
            return self._renewed(order, operation, outcome.error)
        except NodeError as error:
            if error.may_retry:
                raise
            # Nothing else can come of it; the reason is what stands in the way now.
            final = replace(outcome, error=error, reason=error.message)
            return self._settled(operation, final)

    def _renewed(
        self, order: Order, operation: Operation, reason: EngineError | None
    ) -> Operation | None:
        """What stands in its place now; None where preparing it anew is no help. Raises NodeError
        when that is impossible."""
        if not _may_be_renewed(reason) or len(operation.former) >= _RENEWALS:
            return None
        # A transfer of everything moves what it moved when it was first prepared.
        order = order.moving(operation.calls[0].value) if order.whole else order
        made = self._preparation.prepare(order)
        if _of(made).nonce != _of(operation).nonce:
            # Another nonce, and both might take effect.
            return None
        stored = self._ports.operations.get(operation.id) or operation
        made = replace(
            made,
            created_at=stored.created_at,
            updated_at=made.created_at,
            former=(*stored.former, FormerOperation(stored.user_op, stored.sent)),
        )
        return self._ports.operations.renew(operation, made)

    def _settled(self, operation: Operation, outcome: Outcome) -> Operation:
        former = self._former(operation, outcome.replaced_by)
        if former is not None:
            # What had been given up took effect after all.
            operation, outcome = former
        error = outcome.reason
        if outcome.error is not None:
            error = outcome.error.message
        if outcome.status is OperationStatus.CONFIRMED:
            error = ""
        found = replace(
            operation,
            status=outcome.status,
            sent=outcome.record.to_json(),
            receipt=None if outcome.receipt is None else receipt_json(outcome.receipt),
            error=error,
            updated_at=self._ports.clock.now_ms(),
        )
        if found == replace(operation, updated_at=found.updated_at):
            return operation
        return self._ports.operations.save(found)

    def _former(self, operation: Operation, taken_by: str) -> tuple[Operation, Outcome] | None:
        """The order's earlier operation of that hash in the place of this one, and its outcome."""
        chain_id = operation.chain_id
        for each in operation.former if taken_by else ():
            user_op = UserOperation.from_wire(each.user_op)
            if not each.sent or self._preparation.hash_of(user_op, chain_id) != taken_by:
                continue
            back = replace(operation, hash=taken_by, user_op=each.user_op, former=())
            stored = self._ports.operations.renew(operation, back)
            record = SentRecord.from_json(dict(each.sent))
            return stored, self._ports.lanes(chain_id).sender.look(user_op, record)
        return None


def _is_passing(error: EngineError) -> bool:
    """Whether the same may go well in a moment."""
    if isinstance(error, NodeError):
        return error.may_retry
    return isinstance(error, Unavailable)


def _may_be_renewed(reason: EngineError | None) -> bool:
    """Whether an operation made anew may pass where this one was refused."""
    if not isinstance(reason, OperationRefused) or reason.aa == NONCE_USED:
        return False
    return reason.may_retry or reason.aa == EXPIRED


def _of(operation: Operation) -> UserOperation:
    return UserOperation.from_wire(operation.user_op)


def receipt_json(receipt: Receipt) -> dict[str, JsonValue]:
    """A receipt to keep: the transaction's, with the logs of the operation alone, and what is its
    own (`userOpHash`, `success`, `actualGasCost` and `actualGasUsed` as decimal texts,
    `revertReason` as 0x-hex)."""
    return {
        **receipt.transaction,
        "logs": [dict(log) for log in receipt.logs],
        "userOpHash": receipt.user_op_hash,
        "success": receipt.success,
        "actualGasCost": str(receipt.actual_gas_cost),
        "actualGasUsed": str(receipt.actual_gas_used),
        "revertReason": "0x" + receipt.revert_reason.hex(),
    }
