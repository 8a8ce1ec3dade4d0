"""The parts of a contract node's configuration that reading and writing share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from task_engine.compiler.chain_names import chain_id_of
from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.address import Address, is_address
from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope
from task_engine.processors.rest_config import bounded, invalid, required_text
from task_engine.processors.templated import Templated

MAX_METHODS = 1000
_SENDER = "aa_sender"
_SURELY_SMALL = 256


@dataclass(frozen=True, slots=True)
class MethodCall:
    """One entry of `methodCalls` with its templates rendered. `address` is "" where it names
    none; `call_data` is 0x-hexadecimal, "" = the parameters are to be encoded."""

    name: str
    params: Sequence[JsonValue]
    call_data: str
    apply_to: tuple[str, ...]
    address: str


@dataclass(frozen=True, slots=True)
class ContractConfig:
    """A contract node, rendered and checked as far as one method does not matter."""

    chain_id: int
    address: Address
    abi: ContractAbi
    calls: tuple[MethodCall, ...]


def parse_contract(config: Mapping[str, JsonValue], scope: Scope) -> ContractConfig:
    """Raises NodeError: MISSING_REQUIRED_FIELD, INVALID_NODE_CONFIG, INVALID_ADDRESS, or one error
    that names every variable without a value. The ABI is never rendered, nor is call data."""
    address = required_text(config.get("contractAddress"), "contractAddress")
    abi = _abi(json.dumps(config.get("contractAbi")))
    chain_id = _chain_id(config.get("chainId"))
    calls = _entries(config.get("methodCalls"))
    fields = Templated(scope)
    limit = scope.limits.max_template_bytes
    bounded(address, "contractAddress", limit)
    address = fields.text("contractAddress", address)
    rendered = [
        _method(call, f"methodCalls[{place}]", fields, limit) for place, call in enumerate(calls)
    ]
    fields.check()
    return ContractConfig(
        chain_id, checked_address(address, "contractAddress"), abi, tuple(rendered)
    )


def encoded(abi: ContractAbi, call: MethodCall) -> tuple[AbiFunction, bytes]:
    """The method and its call data; call data that was given is taken as it is.

    Raises NodeError when the method, the parameters or the call data do not fit the ABI.
    """
    if not call.call_data:
        function = abi.function_for(call.name, call.params)
        return function, function.encode(call.params)
    data = _bytes(call)
    called = abi.by_selector(data[:4])
    if called is None:
        selector = data[:4].hex()
        raise invalid(f"method {call.name}: callData calls 0x{selector}, which is not in the ABI")
    if not _is_named(call.name, called):
        raise invalid(f"method {call.name}: callData calls {called.signature} instead")
    return called, data


def sender_of(scope: Scope) -> str:
    """The smart wallet that the run acts for, checksummed; "" when there is none."""
    given = scope.variables.get(_SENDER)
    if given is None or given == "":
        return ""
    return checked_address(given, "settings.runner")


def checked_address(text: JsonValue, field: str) -> Address:
    """Raises NodeError INVALID_ADDRESS."""
    stripped = text.strip() if isinstance(text, str) else ""
    if not is_address(stripped):
        raise NodeError(
            f"{field} is not an address: 0x and 40 hexadecimal digits", code="INVALID_ADDRESS"
        )
    return Address(stripped)


@lru_cache(maxsize=16)
def _abi(text: str) -> ContractAbi:
    """Of the ABI's JSON; the nodes of a loop and of later runs have the same one."""
    return ContractAbi.parse(json.loads(text))


def _chain_id(given: JsonValue) -> int:
    if given is None or given == "":
        raise NodeError("chainId is required", code="MISSING_REQUIRED_FIELD")
    chain_id = chain_id_of(given)
    if chain_id is None:
        raise invalid("chainId must be a positive whole number")
    return chain_id


def _entries(given: JsonValue) -> list[Mapping[str, JsonValue]]:
    if given is None or given == []:
        raise NodeError("methodCalls is required", code="MISSING_REQUIRED_FIELD")
    if not isinstance(given, list) or len(given) > MAX_METHODS:
        raise invalid(f"methodCalls must be a list of at most {MAX_METHODS} calls")
    calls = [call for call in given if isinstance(call, dict)]
    if len(calls) < len(given):
        raise invalid("methodCalls must hold objects with a methodName")
    return [*calls]


def _method(call: Mapping[str, JsonValue], path: str, fields: Templated, limit: int) -> MethodCall:
    name = required_text(call.get("methodName"), f"{path}.methodName")
    params, targets = call.get("methodParams"), call.get("applyToFields")
    call_data, address = call.get("callData") or "", call.get("contractAddress") or ""
    if not isinstance(params, list | None):
        raise invalid(f"{path}.methodParams must be a list")
    if not isinstance(targets, list | None):
        raise invalid(f"{path}.applyToFields must be a list")
    if not isinstance(call_data, str) or not isinstance(address, str):
        raise invalid(f"{path}: callData and contractAddress must be texts")
    if "{{" in name:
        name = fields.text(f"{path}.methodName", name)
    if "{{" in address:
        address = fields.text(f"{path}.contractAddress", address)
    return MethodCall(
        name=name.strip(),
        params=[
            _param(param, (path, place), fields, limit) for place, param in enumerate(params or ())
        ],
        call_data=call_data.strip(),
        apply_to=tuple(map(str, targets or ())),
        address=address.strip(),
    )


def _param(param: JsonValue, at: tuple[str, int], fields: Templated, limit: int) -> JsonValue:
    if isinstance(param, str) and len(param) <= _SURELY_SMALL and "{{" not in param:
        return param
    where = f"{at[0]}.methodParams[{at[1]}]"
    if isinstance(param, str):
        bounded(param, where, limit)
    return fields.value(where, param)


def _bytes(call: MethodCall) -> bytes:
    digits = call.call_data[2:] if call.call_data[:2] in ("0x", "0X") else call.call_data
    try:
        data = bytes.fromhex(digits) if digits.isalnum() else b""
    except ValueError:
        data = b""
    if len(data) < 4:
        raise invalid(
            f"method {call.name}: callData must be 0x and hexadecimal digits, 4 bytes at least"
        )
    return data


def _is_named(name: str, function: AbiFunction) -> bool:
    bare, parenthesis, _ = name.partition("(")
    return bare.strip() == function.name and (
        not parenthesis or "".join(name.split()) == function.signature
    )
