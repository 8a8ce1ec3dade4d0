"""User operations, by what they are for and by their hash."""

from __future__ import annotations

from typing import Any

from task_engine.aws.dynamo import Dynamo, Put, Update
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.operation import FormerOperation, Operation, OperationCall, OperationStatus

# Not final, and still the one that was prepared then.
_OPEN = "#status IN (:prepared, :sent) AND #hash = :before"


class OperationRepository:
    """Implements Operations; a final operation is never changed again."""

    def __init__(self, dynamo: Dynamo, packer: Packer, settings: Settings) -> None:
        self._dynamo = dynamo
        self._packer = packer
        self._settings = settings

    def get(self, operation_id: str) -> Operation | None:
        """One read."""
        item = self._dynamo.get(self._table, {"name": operation_id})
        return None if item is None else self._operation(item)

    def by_hash(self, owner: str, user_op_hash: str) -> Operation | None:
        """Two reads; None when it is unknown or another owner's."""
        pointer = self._dynamo.get(self._table, {"name": f"hash#{user_op_hash}"})
        if pointer is None or pointer["owner"] != owner:
            return None
        return self.get(pointer["operation"])

    def create(self, operation: Operation) -> Operation:
        """Both items in one transaction; what stands there already is returned instead."""
        writes = [
            Put(self._table, self._item(operation), "attribute_not_exists(#name)"),
            Put(self._table, _pointer(operation)),
        ]
        try:
            self._dynamo.transact(writes)
        except TransactionCanceled:
            stored = self.get(operation.id)
            if stored is None:
                raise
            return stored
        return operation

    def save(self, operation: Operation) -> Operation:
        """One conditional write; returns what stands there then."""
        try:
            self._dynamo.update(self._change(operation, operation.hash))
        except ConditionFailed:
            stored = self.get(operation.id)
            if stored is None:
                raise
            return stored
        return operation

    def renew(self, before: Operation, after: Operation) -> Operation:
        """Both items in one transaction; returns what stands there then. The hash of `before` goes
        on leading to it."""
        writes: list[Put | Update] = [
            self._change(after, before.hash),
            Put(self._table, _pointer(after)),
        ]
        try:
            self._dynamo.transact(writes)
        except TransactionCanceled:
            stored = self.get(after.id)
            if stored is None:
                raise
            return stored
        return after

    def _change(self, operation: Operation, before: str) -> Update:
        return Update(
            self._table,
            {"name": operation.id},
            "SET #status = :status, #updatedAt = :at, #rest = :rest, #hash = :hash",
            {
                "status": operation.status.value,
                "at": operation.updated_at,
                "rest": self._rest(operation),
                "hash": operation.hash,
                "before": before,
                "prepared": OperationStatus.PREPARED.value,
                "sent": OperationStatus.SENT.value,
            },
            _OPEN,
        )

    @property
    def _table(self) -> str:
        return self._settings.name("TABLE_OPERATIONS")

    def _item(self, operation: Operation) -> dict[str, object]:
        return {
            "name": operation.id,
            "owner": operation.owner,
            "chainId": operation.chain_id,
            "wallet": operation.wallet,
            "hash": operation.hash,
            "status": operation.status.value,
            "createdAt": operation.created_at,
            "updatedAt": operation.updated_at,
            "rest": self._rest(operation),
        }

    def _rest(self, operation: Operation) -> bytes | dict[str, str]:
        document: dict[str, Any] = {
            "userOp": operation.user_op,
            "calls": [[call.to, str(call.value), call.data] for call in operation.calls],
            "sent": operation.sent,
            "receipt": operation.receipt,
            "error": operation.error,
            "former": [[each.user_op, each.sent] for each in operation.former],
        }
        return self._packer.pack(document, f"operations/{operation.hash}")

    def _operation(self, item: Item) -> Operation:
        rest = self._packer.unpack(item["rest"])
        return Operation(
            id=item["name"],
            owner=item["owner"],
            chain_id=item["chainId"],
            wallet=item["wallet"],
            hash=item["hash"],
            user_op=rest["userOp"],
            calls=tuple(OperationCall(to, int(value), data) for to, value, data in rest["calls"]),
            created_at=item["createdAt"],
            status=OperationStatus(item["status"]),
            sent=rest["sent"],
            receipt=rest["receipt"],
            error=rest["error"],
            updated_at=item["updatedAt"],
            former=tuple(FormerOperation(op, sent) for op, sent in rest.get("former", ())),
        )


def _pointer(operation: Operation) -> dict[str, object]:
    """From its hash to what it is for."""
    return {
        "name": f"hash#{operation.hash}",
        "operation": operation.id,
        "owner": operation.owner,
    }
