"""What one call of a contract came to: for the step's data, its metadata and its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.events import decode_log
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.abi.reverts import revert_reason
from task_engine.evm.contract_code import NoContractCode, empty_answer
from task_engine.evm.senders.failures import CallWouldRevert
from task_engine.evm.simulated import SimulatedCall, SimulatedResult
from task_engine.model.execution import StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.operation import Operation, OperationStatus

REVERTED = "SMART_WALLET_RPC_ERROR"
_KEPT = (
    "transactionHash", "blockNumber", "blockHash", "transactionIndex", "gasUsed",
    "cumulativeGasUsed", "effectiveGasPrice", "status", "type", "logsBloom",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """One call's result. `events` are `{event: fields}`; `value` is what it returned, where that is
    known (`has_value`); gas in units and wei, of simulations only."""

    function: AbiFunction
    receipt: dict[str, JsonValue] | None = None
    events: dict[str, JsonValue] = field(default_factory=dict)
    value: JsonValue = None
    has_value: bool = False
    error: StepError | None = None
    pending: bool = False
    gas_used: int = 0
    gas_cost: int = 0

    def data(self) -> JsonValue:
        """For `<node>.data`: events, else the value, else true."""
        if self.pending:
            return None
        if self.events:
            return self.events
        return self.value if self.has_value and self.value is not None else True

    def decimals(self) -> int | None:
        """The number that a method such as `decimals()` returned."""
        text = self.value if isinstance(self.value, str) else ""
        return int(text) if self.has_value and text.isdecimal() and int(text) <= 78 else None

    def metadata(self) -> JsonValue:
        """One entry of the step's metadata."""
        found: dict[str, JsonValue] = {
            "methodName": self.function.name,
            "methodABI": dict(self.function.item),
            "success": self.error is None,
            "error": self.error.message if self.error else "",
            "value": self.value if self.has_value else None,
        }
        if self.receipt is not None:
            found["receipt"] = self.receipt
            if "blockNumber" in self.receipt:
                found["blockNumber"] = self.receipt["blockNumber"]
        return found


def not_sent(function: AbiFunction) -> Written:
    """A call that was not made, since one before it failed or has not ended."""
    text = f"method {function.name}: not sent, because a call before it has not succeeded"
    return Written(function, error=StepError(REVERTED, text))


def from_simulation(
    function: AbiFunction, abi: ContractAbi, call: SimulatedCall, result: SimulatedResult
) -> Written:
    """The result of a call that was tried out; its receipt says so."""
    cost = result.gas_used * result.gas_price
    receipt: dict[str, JsonValue] = {
        "status": "0x1" if result.success else "0x0",
        "from": call.sender,
        "to": call.to,
        "gasUsed": hex(result.gas_used),
        "effectiveGasPrice": hex(result.gas_price),
        "blockNumber": hex(result.block_number),
        "logs": list(result.logs),
        "executionStatus": "confirmed" if result.success else "failed",
        "simulated": True,
    }
    if result.partial:
        receipt["partial"] = True
    if not result.success:
        reason = result.reason if not result.error_data else revert_reason(result.error_data, abi)
        text = f"method {function.name}: {reason or 'reverted without a reason'}"
        return Written(
            function,
            receipt,
            error=StepError(NoContractCode.code if result.absent else "SIMULATION_ERROR", text),
            gas_used=result.gas_used,
            gas_cost=cost,
        )
    # Tokens there are that answer nothing and do as they were told: they write a log.
    silent = not (result.return_data or result.logs or result.partial)
    if function.outputs and silent:
        told = step_error(empty_answer(function.name))
        return Written(function, receipt, error=told, gas_used=result.gas_used, gas_cost=cost)
    value, known = _returned(function, result.return_data)
    events = _events(abi, result.logs, call.to)
    return Written(function, receipt, events, value, known, gas_used=result.gas_used, gas_cost=cost)


def from_operation(
    calls: Sequence[tuple[AbiFunction, str]], abi: ContractAbi, operation: Operation
) -> list[Written]:
    """Results of the calls of one operation; each is a function and its target.

    The operation's receipt stands with each of them. Events belong to the calls by their target
    and, where several calls have the same one, in turn.
    """
    if not operation.status.final:
        return [Written(function, _pending(operation), pending=True) for function, _ in calls]
    if operation.status is not OperationStatus.CONFIRMED or not isinstance(operation.receipt, dict):
        return [_failed(function, target, abi, operation) for function, target in calls]
    receipt: dict[str, Any] = operation.receipt
    shares = _shares(calls, receipt["logs"])
    return [
        Written(function, _receipt(receipt, operation, target), _events(abi, share, target))
        for (function, target), share in zip(calls, shares, strict=True)
    ]


def revert_error(error: NodeError, abi: ContractAbi | None) -> StepError:
    """The step's error for an operation that was refused before it was sent; a revert is told in
    the words of the contract."""
    if isinstance(error, CallWouldRevert) and error.data:
        text = f"the call would revert: {revert_reason(error.data, abi)}"
        return StepError(error.stable_code, text)
    return step_error(error)


def step_error(error: NodeError) -> StepError:
    """A processor's error as a step's."""
    return StepError(error.stable_code, error.message, error.may_retry)


def _failed(function: AbiFunction, target: str, abi: ContractAbi, operation: Operation) -> Written:
    receipt = operation.receipt
    reason = operation.error
    told: dict[str, JsonValue] = {"userOpHash": operation.hash, "executionStatus": "failed"}
    if isinstance(receipt, dict):
        data = str(receipt.get("revertReason") or "0x")
        reason = f"reverted: {revert_reason(data, abi)}" if data != "0x" else reason
        told = {**_receipt(receipt, operation, target), "executionStatus": "failed"}
    text = f"method {function.name}: {reason or 'reverted without a reason'}"
    return Written(function, told, error=StepError(REVERTED, text))


def _pending(operation: Operation) -> dict[str, JsonValue]:
    return {
        "userOpHash": operation.hash,
        "sender": operation.wallet,
        "nonce": operation.user_op.get("nonce"),
        "status": "pending",
        "transactionHash": "pending",
        "executionStatus": "pending",
    }


def _receipt(
    receipt: Mapping[str, JsonValue], operation: Operation, target: str
) -> dict[str, JsonValue]:
    """Of the transaction, as seen from the wallet."""
    return {
        **{name: receipt[name] for name in _KEPT if name in receipt},
        "from": operation.wallet,
        "to": target,
        "logs": receipt.get("logs", []),
        "userOpHash": operation.hash,
        "executionStatus": operation.status.word,
    }


def _shares(
    calls: Sequence[tuple[AbiFunction, str]], logs: Sequence[dict[str, JsonValue]]
) -> list[list[dict[str, JsonValue]]]:
    """The logs that each call may have made: those that its target wrote. Of several calls to one
    target each gets a part, in order, as far as their logs can be told apart by their events."""
    shares: list[list[dict[str, JsonValue]]] = [[] for _ in calls]
    for target in dict.fromkeys(target.lower() for _, target in calls):
        places = [at for at, (_, own) in enumerate(calls) if own.lower() == target]
        own = [log for log in logs if str(log.get("address", "")).lower() == target]
        per_call = max(1, len(own) // len(places))
        for number, log in enumerate(own):
            shares[places[min(number // per_call, len(places) - 1)]].append(log)
    return shares


def _events(
    abi: ContractAbi, logs: Sequence[JsonValue] | Sequence[dict[str, JsonValue]], target: str
) -> dict[str, JsonValue]:
    """`{event: fields}` of what the target wrote; of an event that came twice, the last."""
    found: dict[str, JsonValue] = {}
    for log in logs:
        if not isinstance(log, dict) or str(log.get("address", "")).lower() != target.lower():
            continue
        event = decode_log(abi, log)
        if event is not None:
            found[event.name] = dict(event.fields)
    return found


def _returned(function: AbiFunction, data: bytes) -> tuple[JsonValue, bool]:
    if not function.outputs or not data:
        return None, False
    try:
        return function.named_outputs(function.decode_outputs(data)), True
    except NodeError:
        return None, False
