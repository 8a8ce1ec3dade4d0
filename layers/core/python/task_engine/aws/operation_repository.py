"""User operations, by what they are for and by their hash."""

from __future__ import annotations

from typing import Any

from task_engine.aws.dynamo import Dynamo, Put, Update
from task_engine.aws.failures import TransactionCanceled
from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.config import Settings
from task_engine.errors import ConditionFailed
from task_engine.model.operation import Operation, OperationCall, OperationStatus

_OPEN = "#status IN (:prepared, :sent)"


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
        pointer = {
            "name": f"hash#{operation.hash}",
            "operation": operation.id,
            "owner": operation.owner,
        }
        writes = [
            Put(self._table, self._item(operation), "attribute_not_exists(#name)"),
            Put(self._table, pointer),
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
        update = Update(
            self._table,
            {"name": operation.id},
            "SET #status = :status, #updatedAt = :at, #rest = :rest",
            {
                "status": operation.status.value,
                "at": operation.updated_at,
                "rest": self._rest(operation),
                "prepared": OperationStatus.PREPARED.value,
                "sent": OperationStatus.SENT.value,
            },
            _OPEN,
        )
        try:
            self._dynamo.update(update)
        except ConditionFailed:
            stored = self.get(operation.id)
            if stored is None:
                raise
            return stored
        return operation

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
        )
