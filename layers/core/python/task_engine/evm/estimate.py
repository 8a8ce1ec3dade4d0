"""How much gas an operation needs, by running its parts on the chain's present state."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, cast

from task_engine.errors import NodeError
from task_engine.evm import encoding
from task_engine.evm.entry_point import EntryPoint, packed_structure
from task_engine.evm.eth_call import quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.gas import (
    FEE_CALLS,
    data_gas,
    fees_of,
    operation_gas,
    pre_verification_gas,
    with_fees,
)
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.failures import CallWouldRevert, OperationRefused
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonObject, JsonValue

_TRANSACTION = 21_000
# Seen nowhere else: what EntryPoint does within the verification's limit besides the wallet's own
# part: a nonce and a deposit that were never used before, and the payment.
_ENTRY_POINT_SHARE = 70_000
# For nodes without eth_simulateV1.
_UNMEASURED_VERIFICATION, _UNMEASURED_DEPLOYMENT = 180_000, 450_000
_UNMEASURED_CALL = 500_000

_VALIDATE = bytes.fromhex("19822f7c")
_EXECUTE_USER_OP = bytes.fromhex("8dd7712f")
# EntryPoint's own helper, which factories of 0.8 let create wallets only.
_CREATORS = {
    "0.7": "0xEFC2c1444eBCC4Db75e7613d20C6a62fF67A167C",
    "0.8": "0x449ED7C3e6Fee6a97311d4b55475DF59C44AdD33",
}


class Estimator(Protocol):
    """Finds prices and limits for an operation."""

    def estimate(self, op: UserOperation) -> UserOperation:
        """The operation with its five gas fields; it must carry a well-formed signature and, when
        it is sponsored, the paymaster's stub. The result has to be signed anew.

        Raises CallWouldRevert, OperationRefused, NodeError INSUFFICIENT_BALANCE or RpcError.
        """


class SelfEstimator:
    """Implements Estimator with a node alone, for operations that our own account sends."""

    def __init__(self, rpc: RpcPort, entry_point: EntryPoint) -> None:
        self._rpc = rpc
        self._entry_point = entry_point

    def estimate(self, op: UserOperation) -> UserOperation:
        """As Estimator says; one round trip, two on nodes without eth_simulateV1."""
        point = self._entry_point.address
        calls = self._calls(op)
        deposit: JsonValue = {
            "to": point,
            "data": "0x" + self._entry_point.deposit_data(op.sender).hex(),
        }
        simulation = {"blockStateCalls": [{"calls": calls}]}
        block, tip, balance, deposited, simulated = self._rpc.batch(
            [
                *FEE_CALLS,
                ("eth_getBalance", [op.sender, "latest"]),
                ("eth_call", [deposit, "latest"]),
                ("eth_simulateV1", [cast("JsonValue", simulation), "latest"]),
            ]
        )
        funds = quantity(balance) + quantity(deposited)
        require_any_funds(op, funds, self._rpc.chain_id)
        priced = with_fees(op, fees_of(block, tip))
        if isinstance(simulated, RpcError):
            verification, call = self._unmeasured(op, simulated)
        else:
            verification, call = _measured(op, calls, _results(simulated))
        limited = replace(priced, verification_gas_limit=verification, call_gas_limit=call)
        final = replace(
            limited, pre_verification_gas=pre_verification_gas(limited, self._entry_point)
        )
        require_funds(final, funds)
        return final

    def _calls(self, op: UserOperation) -> list[JsonObject]:
        """Deployment, validation and execution as EntryPoint would make them."""
        point: JsonValue = self._entry_point.address
        # Wallets may keep account of what is offered: something has to be.
        op = replace(
            op,
            call_gas_limit=1,
            verification_gas_limit=1,
            max_fee_per_gas=1,
            max_priority_fee_per_gas=1,
        )
        op_hash = op.hash(self._entry_point, self._rpc.chain_id)
        whole = packed_structure(op)
        validation = encoding.sequence(whole, op_hash, encoding.number(0))
        call = op.call_data
        if call[:4] == _EXECUTE_USER_OP:
            call = _EXECUTE_USER_OP + encoding.sequence(whole, op_hash)
        calls: list[JsonObject] = [
            {"from": point, "to": op.sender, "data": _hex(_VALIDATE + validation)},
            {"from": point, "to": op.sender, "data": _hex(call)},
        ]
        if op.factory is not None:
            creator = _CREATORS[self._entry_point.version]
            deployment: JsonObject = {
                "from": creator,
                "to": op.factory,
                "data": _hex(op.factory_data),
            }
            calls.insert(0, deployment)
        return calls

    def _unmeasured(self, op: UserOperation, refused: RpcError) -> tuple[int, int]:
        """For a node that does not simulate: fixed limits, the call measured where it can be."""
        if refused.may_retry:
            raise refused
        if op.factory is not None:
            return _UNMEASURED_DEPLOYMENT, _UNMEASURED_CALL
        call = {
            "from": self._entry_point.address,
            "to": op.sender,
            "data": _hex(op.call_data),
        }
        (used,) = self._rpc.batch([("eth_estimateGas", [cast("JsonValue", call)])])
        if isinstance(used, RpcError):
            if used.data or used.rpc_code == 3:
                raise CallWouldRevert(_raw(used.data)) from used
            return _UNMEASURED_VERIFICATION, _UNMEASURED_CALL
        return _UNMEASURED_VERIFICATION, quantity(used) * 64 // 63 + 10_000


def _measured(
    op: UserOperation, calls: list[JsonObject], results: list[JsonObject]
) -> tuple[int, int]:
    """Limits for verification and call; raises for what failed."""
    names = (["AA13"] if op.factory is not None else []) + ["AA23", ""]
    parts = []
    for name, call, result in zip(names, calls, results, strict=True):
        if quantity(result["status"]) != 1:
            data = _revert_data(result)
            raise OperationRefused(name, data) if name else CallWouldRevert(data)
        data = bytes.fromhex(str(call["data"])[2:])
        used = quantity(result["gasUsed"]) - _TRANSACTION - data_gas(data)
        # What a refund took off (a fifth at most) is needed on the way all the same.
        parts.append(max(used, 0) * 5 // 4)
    *verification, execution = parts
    return sum(verification) * 64 // 63 + _ENTRY_POINT_SHARE, execution * 64 // 63 + 15_000


def _results(simulated: JsonValue) -> list[JsonObject]:
    (block,) = cast("list[JsonObject]", simulated)
    return cast("list[JsonObject]", block["calls"])


def _revert_data(result: JsonObject) -> bytes:
    """geth puts it in the error, others in returnData."""
    error = result.get("error")
    inner = error.get("data") if isinstance(error, dict) else None
    return _raw(str(inner or result.get("returnData") or "0x"))


def require_funds(op: UserOperation, funds: int) -> None:
    """Raises NodeError INSUFFICIENT_BALANCE when the wallet can't pay what it may be charged."""
    needed = operation_gas(op) * op.max_fee_per_gas
    if op.paymaster is None and funds < needed:
        raise NodeError(
            f"the wallet {op.sender} has {funds} wei for gas; up to {needed} are needed",
            code="INSUFFICIENT_BALANCE",
        )


def require_any_funds(op: UserOperation, funds: int, chain_id: int) -> None:
    """Raises NodeError INSUFFICIENT_BALANCE for a wallet that pays for itself with nothing."""
    if funds == 0 and op.paymaster is None:
        raise NodeError(
            f"the wallet {op.sender} has nothing on chain {chain_id} to pay gas with: fund it",
            code="INSUFFICIENT_BALANCE",
        )


def _raw(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()
