"""Gas of operations that a bundler service sends, as the service finds it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from task_engine.evm.entry_point import EntryPoint
from task_engine.evm.estimate import require_any_funds, require_funds
from task_engine.evm.eth_call import eth_call, quantity
from task_engine.evm.failures import RpcError
from task_engine.evm.gas import FEE_CALLS, Answer, Fees, fees_of, with_fees
from task_engine.evm.ports import RpcPort
from task_engine.evm.senders.failures import bundler_failure
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonObject

# Some services answer the limits that they were given: these are near the truth.
_DEPLOYING, _DEPLOYED = 200_000, 60_000
_CALL, _PRE_VERIFICATION = 500_000, 100_000
# What is used of the limit after tightening; services want 0.4.
_AIM = 0.75

_RUNDLER = "rundler_maxPriorityFeePerGas"
_PIMLICO = "pimlico_getUserOperationGasPrice"


class BundlerEstimator:
    """Implements Estimator; `rpc` is the chain's node, `bundler` the service."""

    def __init__(self, rpc: RpcPort, bundler: RpcPort, entry_point: EntryPoint) -> None:
        self._rpc = rpc
        self._bundler = bundler
        self._entry_point = entry_point

    def estimate(self, op: UserOperation) -> UserOperation:
        """As Estimator says; a round trip to the node, two to the service."""
        deposit = self._entry_point.deposit_data(op.sender)
        block, tip, balance, deposited = self._rpc.batch(
            [
                *FEE_CALLS,
                ("eth_getBalance", [op.sender, "latest"]),
                eth_call(self._entry_point.address, deposit),
            ]
        )
        funds = quantity(balance) + quantity(deposited)
        require_any_funds(op, funds, self._rpc.chain_id)
        priced = with_fees(op, self._fees(block, tip))
        limited = self._limited(priced)
        require_funds(limited, funds)
        return limited

    def _limited(self, op: UserOperation) -> UserOperation:
        seeded = replace(
            op,
            call_gas_limit=_CALL,
            verification_gas_limit=_DEPLOYING if op.factory is not None else _DEPLOYED,
            pre_verification_gas=_PRE_VERIFICATION,
        )
        point = self._entry_point.address
        try:
            answer = self._bundler.call("eth_estimateUserOperationGas", seeded.wire(), point)
        except RpcError as error:
            raise bundler_failure(error) from error
        found = cast("JsonObject", answer)
        limited = replace(
            op,
            pre_verification_gas=quantity(found["preVerificationGas"]),
            verification_gas_limit=quantity(found["verificationGasLimit"]),
            call_gas_limit=quantity(found["callGasLimit"]),
        )
        if op.paymaster is None:
            return limited
        # Services that measure the paymaster's part answer it; else the sponsor's own figures stay.
        verification = found.get("paymasterVerificationGasLimit")
        post_op = found.get("paymasterPostOpGasLimit")
        return replace(
            limited,
            paymaster_verification_gas_limit=quantity(verification)
            if verification is not None
            else op.paymaster_verification_gas_limit,
            paymaster_post_op_gas_limit=quantity(post_op)
            if post_op is not None
            else op.paymaster_post_op_gas_limit,
        )

    def _fees(self, block: Answer, tip: Answer) -> Fees:
        """At least what the service takes, where it says."""
        try:
            rundler, pimlico = self._bundler.batch([(_RUNDLER, []), (_PIMLICO, [])])
        except RpcError as error:
            raise bundler_failure(error) from error
        floor = 0 if isinstance(rundler, RpcError) else quantity(rundler)
        fees = fees_of(block, tip, floor)
        if isinstance(pimlico, dict) and isinstance(pimlico.get("standard"), dict):
            wanted = cast("JsonObject", pimlico["standard"])
            return Fees(
                max(fees.max_fee, quantity(wanted["maxFeePerGas"])),
                max(fees.priority_fee, quantity(wanted["maxPriorityFeePerGas"])),
            )
        return fees


def tightened(op: UserOperation, used: float) -> UserOperation:
    """With the verification limit that a VerificationLimitTooHigh asks for; to be signed anew."""
    return replace(op, verification_gas_limit=int(op.verification_gas_limit * used / _AIM))
