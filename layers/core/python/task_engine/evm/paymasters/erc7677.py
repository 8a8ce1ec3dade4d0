"""Sponsors that are web services (ERC-7677).

https://eips.ethereum.org/EIPS/eip-7677
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from task_engine.errors import EngineError
from task_engine.evm.address import Address, is_address
from task_engine.evm.failures import RpcError
from task_engine.evm.paymasters.ports import SponsorRefused
from task_engine.evm.ports import RpcPort
from task_engine.evm.user_operation import UserOperation
from task_engine.model.json_value import JsonObject, JsonValue

_LONGEST_REASON = 200


class Erc7677Paymaster:
    """Implements Paymaster; `rpc` is the service's, `context` what it wants to know besides."""

    def __init__(
        self, rpc: RpcPort, entry_point: Address, context: Mapping[str, JsonValue] | None = None
    ) -> None:
        self._rpc = rpc
        self._entry_point = entry_point
        self._context = dict(context or {})

    def stub(self, op: UserOperation) -> UserOperation:
        """As Paymaster says; one call."""
        answer = self._ask("pm_getPaymasterStubData", op)
        return self._with(
            op,
            answer,
            _gas(answer, "paymasterVerificationGasLimit"),
            _gas(answer, "paymasterPostOpGasLimit"),
        )

    def sponsor(self, op: UserOperation) -> UserOperation:
        """As Paymaster says; one call. The gas limits stay those of the estimate, which the
        service signs."""
        answer = self._ask("pm_getPaymasterData", op)
        return self._with(
            op, answer, op.paymaster_verification_gas_limit, op.paymaster_post_op_gas_limit
        )

    def _ask(self, method: str, op: UserOperation) -> JsonObject:
        chain = hex(self._rpc.chain_id)
        context: JsonValue = self._context
        try:
            answer = self._rpc.call(method, op.wire(), self._entry_point, chain, context)
        except RpcError as error:
            raise _refusal(error) from error
        if not isinstance(answer, dict):
            raise SponsorRefused("the sponsor's answer is not an object")
        return cast("JsonObject", answer)

    def _with(
        self, op: UserOperation, answer: JsonObject, verification: int, post_op: int
    ) -> UserOperation:
        paymaster, data = answer.get("paymaster"), answer.get("paymasterData")
        if not is_address(paymaster) or not isinstance(data, str):
            raise SponsorRefused("the sponsor's answer names no paymaster and its data")
        try:
            raw = bytes.fromhex(data.removeprefix("0x"))
        except ValueError as error:
            raise SponsorRefused("the sponsor's data is not hexadecimal") from error
        return replace(
            op,
            paymaster=Address(str(paymaster)),
            paymaster_verification_gas_limit=verification,
            paymaster_post_op_gas_limit=post_op,
            paymaster_data=raw,
        )


def _gas(answer: JsonObject, name: str) -> int:
    """A limit that the service may leave to the estimate."""
    try:
        return int(str(answer.get(name) or "0x0"), 16)
    except ValueError as error:
        raise SponsorRefused(f"the sponsor's {name} is not a number") from error


def _refusal(error: RpcError) -> EngineError:
    if error.may_retry:
        return SponsorRefused("the sponsor's service is unavailable", retryable=True)
    reason = error.message.strip().partition("\n")[0][:_LONGEST_REASON]
    return SponsorRefused(f"the sponsor refuses: {reason}")
