"""Routes of user operations."""

from __future__ import annotations

from task_engine.api.application import Application
from task_engine.api.http import Reply, Request
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import Operation, OperationCall, OperationStatus
from task_engine.services.user_operations import UserOperationService


def operation_json(operation: Operation) -> dict[str, JsonValue]:
    """A UserOpStatusResponse."""
    found: dict[str, JsonValue] = {
        "userOpHash": operation.hash,
        "executionStatus": operation.status.word,
        "sender": operation.wallet,
        "calls": [_call_json(call) for call in operation.calls],
    }
    receipt = operation.receipt if isinstance(operation.receipt, dict) else {}
    if receipt.get("transactionHash"):
        found["transactionHash"] = receipt["transactionHash"]
        block = receipt.get("blockNumber")
        if isinstance(block, str):
            found["blockNumber"] = int(block, 16)
    if operation.status.final:
        found["success"] = operation.status is OperationStatus.CONFIRMED
    if operation.error:
        found["error"] = operation.error
    return found


def _call_json(call: OperationCall) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"to": call.to, "value": str(call.value), "data": call.data}
    if len(call.data) >= 10:
        found["selector"] = call.data[:10]
    return found


def add_routes(app: Application, operations: UserOperationService) -> None:
    """All routes below /userops."""

    def get(request: Request) -> Reply:
        owner, user_op_hash = request.principal.owner, request.path["userOpHash"]
        return Reply(200, operation_json(operations.find(owner, user_op_hash)))

    app.add("GET", "/userops/<userOpHash>", get)
