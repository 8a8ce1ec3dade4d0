"""What a contractWrite node is to call, encoded and checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.address import Address
from task_engine.evm.wallets.provider import TxCall
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_config import (
    ContractConfig,
    MethodCall,
    checked_address,
    encoded,
)
from task_engine.processors.rest_config import invalid
from task_engine.processors.templated import Templated

_MOST_CALLS = 100
_WHOLE = re.compile(r"[0-9]{1,78}|0[xX][0-9a-fA-F]{1,64}")


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One method, ready to be called."""

    call: MethodCall
    function: AbiFunction
    tx: TxCall


def planned_calls(node: PlanNode, config: ContractConfig, scope: Scope) -> list[PlannedCall]:
    """Every call, encoded; raises NodeError for what is wrong with any of them."""
    if len(config.calls) > _MOST_CALLS:
        raise invalid(f"methodCalls must be a list of at most {_MOST_CALLS} calls")
    value = _wei(node, scope, "value")
    calls = [_with_call_data(call, node, config) for call in config.calls]
    planned = []
    for place, call in enumerate(calls):
        function, data = encoded(config.abi, call)
        address = config.address
        if call.address:
            address = checked_address(call.address, f"method {call.name}: contractAddress")
        own = value if place == len(calls) - 1 else 0
        if own and function.state_mutability != "payable":
            raise invalid(f"method {call.name} is not payable, so value must be 0")
        planned.append(PlannedCall(call, function, TxCall(Address(address), own, data)))
    return planned


def _with_call_data(call: MethodCall, node: PlanNode, config: ContractConfig) -> MethodCall:
    """A node of one method may give its call data beside the method."""
    own = node.config.get("callData")
    if call.call_data or len(config.calls) > 1 or not isinstance(own, str) or not own:
        return call
    return replace(call, call_data=own.strip())


def gas_limit(node: PlanNode, scope: Scope) -> int:
    """In units, 0 = as estimated; raises NodeError."""
    limit = _wei(node, scope, "gasLimit")
    if limit >= 2**63:
        raise invalid("gasLimit is too large")
    return limit


def _wei(node: PlanNode, scope: Scope, field: str) -> int:
    """A whole number, decimal or 0x-hexadecimal; 0 when absent."""
    given = node.config.get(field)
    if given is None or given == "":
        return 0
    fields = Templated(scope)
    text = fields.text(field, str(given)).strip()
    fields.check()
    if _WHOLE.fullmatch(text) is None:
        raise invalid(f"{field} must be a whole number, decimal or 0x-hexadecimal")
    number = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    if number >= 2**256:
        raise invalid(f"{field} must fit into 256 bits")
    return number
