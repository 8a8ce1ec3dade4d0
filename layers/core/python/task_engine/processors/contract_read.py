"""contractRead: methods of a contract, all read at one block in one batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from task_engine.errors import EngineError, NodeError
from task_engine.evm.abi.formatting import apply_to_fields
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.eth_call import until_of
from task_engine.evm.reads import CallContext, ReadCall, read_contracts
from task_engine.evm.tokens import Rpcs
from task_engine.model.execution import ChainUse, Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_config import (
    ContractConfig,
    MethodCall,
    checked_address,
    encoded,
    parse_contract,
    sender_of,
)
from task_engine.processors.contract_fields import decimals_of, require_number
from task_engine.processors.rest_config import invalid

PROVIDER = "chain_rpc"


class Views(Protocol):
    """Chains as simulated runs have changed them."""

    def view(self, run_key: str) -> Rpcs:
        """The chains as the run sees them."""


class ContractReadProcessor:
    """`<node>.data` is `{method: value}`, or `{method: {field: value}}` where outputs have names;
    numbers and booleans are texts. A method called twice shows its last value there; `metadata`
    tells of every call, with raw values.

    A method that fails fails the step with the first such error; what the others gave is kept.
    Simulated runs read through `views`, and so see what they have written.
    """

    def __init__(self, rpcs: Rpcs, views: Views | None = None) -> None:
        self._rpcs = rpcs
        self._views = views

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a configuration that can't work, RpcError when the chain's node
        can't be reached."""
        config = parse_contract(node.config, scope)
        methods = [_Method(call) for call in config.calls]
        for method in methods:
            method.prepare(config)
        _check_targets(methods)
        self._read([m for m in methods if m.error is None], config, scope)
        data = _data(methods)
        failed = next((method.error for method in methods if method.error is not None), None)
        return Outcome(
            data=data,
            error=_step_error(failed) if failed is not None else None,
            metadata=[method.metadata() for method in methods],
            chain=ChainUse(config.chain_id, PROVIDER),
        )

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - as any processor
        """It only reads."""
        return True

    def _read(self, methods: Sequence[_Method], config: ContractConfig, scope: Scope) -> None:
        rpcs = self._views.view(scope.run_key) if self._views and scope.run_key else self._rpcs
        rpc = rpcs.rpc(config.chain_id)
        calls = [method.read for method in methods if method.read is not None]
        if not calls:
            return
        scope.calls.spend(len(calls))
        context = CallContext(
            config.chain_id, config.abi, sender_of(scope), until_of(scope.deadline)
        )
        for method, result in zip(methods, read_contracts(rpc, calls, context), strict=True):
            if isinstance(result, EngineError):
                method.error = result
            else:
                method.keep(result)


@dataclass(slots=True)
class _Method:
    """One call on its way from the configuration to its raw value."""

    call: MethodCall
    read: ReadCall | None = None
    function: AbiFunction | None = None
    values: list[JsonValue] | None = None
    value: JsonValue = None
    error: EngineError | None = None
    targets: tuple[str, ...] = ()

    def prepare(self, config: ContractConfig) -> None:
        """Encode the call; what is wrong with it is its own error."""
        try:
            function, data = encoded(config.abi, self.call)
            address = config.address
            if self.call.address:
                field = f"method {self.call.name}: contractAddress"
                address = checked_address(self.call.address, field)
            self.read, self.function = ReadCall(function, address, data), function
        except NodeError as error:
            self.error = error

    def keep(self, values: list[JsonValue]) -> None:
        """What was read."""
        self.values = values
        self.value = self.function.named_outputs(values) if self.function else None

    def metadata(self) -> JsonValue:
        return {
            "methodName": self.call.name,
            "success": self.error is None,
            "error": self.error.message if self.error else "",
            "methodABI": dict(self.function.item) if self.function else None,
            "value": self.value,
        }


def _names(methods: Sequence[_Method]) -> dict[str, str]:
    """What each signature's value is called: the method's name, where no overload is read too."""
    names = {m.function.signature: m.function.name for m in methods if m.function}
    times = Counter(names.values())
    return {s: name if times[name] == 1 else s for s, name in names.items()}


def _check_targets(methods: Sequence[_Method]) -> None:
    """Find what each method's applyToFields names; a target that can't be is its error."""
    names = _names(methods)
    functions = {names[m.function.signature]: m.function for m in methods if m.function}
    failed = {m.call.name for m in methods if m.function is None}
    for method in methods:
        try:
            found = []
            for target in method.call.apply_to:
                name, *fields = target.strip().split(".")
                if name in functions:
                    require_number(functions[name], fields)
                    found.append(target)
                elif name not in failed:
                    text = f"applyToFields names {target[:80]!r}, which this node does not read"
                    raise invalid(f"method {method.call.name}: {text}")
            method.targets = tuple(found)
        except NodeError as error:
            method.error = method.error or error


def _data(methods: Sequence[_Method]) -> dict[str, JsonValue]:
    """Values by method, formatted. A value that should be formatted and can't be is left out: it
    would be read as a number that is orders of magnitude too large."""
    names = _names(methods)
    data: dict[str, JsonValue] = {
        names[m.function.signature]: m.value for m in methods if m.function and m.values is not None
    }
    for method in methods:
        if not method.targets:
            continue
        decimals = _decimals(method)
        if decimals is not None:
            data = apply_to_fields(data, method.targets, decimals)
            continue
        for target in method.targets:
            data.pop(target.strip().partition(".")[0], None)
    return data


def _decimals(method: _Method) -> int | None:
    if method.values is None:
        return None
    try:
        return decimals_of(method.call.name, method.values)
    except NodeError as error:
        method.error = method.error or error
        return None


def _step_error(error: EngineError) -> StepError:
    retryable = error.may_retry if isinstance(error, NodeError) else error.retryable
    return StepError(error.stable_code, error.message, retryable)
