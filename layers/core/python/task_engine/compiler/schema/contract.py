"""contractRead and contractWrite: methods of a contract."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from task_engine.compiler.schema.base import Address, CallData, ChainId, Form, Text, Wei

_MAX_ABI_BYTES = 1_048_576
_MAX_ABI_ITEM_BYTES = 102_400


def _abi(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sizes = [len(json.dumps(item)) for item in items]
    if sum(sizes) > _MAX_ABI_BYTES:
        raise ValueError(f"may have {_MAX_ABI_BYTES} bytes at most")
    if max(sizes, default=0) > _MAX_ABI_ITEM_BYTES:
        raise ValueError(f"may have items of {_MAX_ABI_ITEM_BYTES} bytes at most")
    return items


Abi = Annotated[list[dict[str, Any]], AfterValidator(_abi)]


class MethodCall(Form):
    """`callData` is used literally where it is given."""

    method_name: Text
    method_params: list[Any] | None = None
    call_data: CallData | None = None
    apply_to_fields: list[str] | None = None
    contract_address: Address | None = None


class ContractReadConfig(Form):
    """All methods are read at one block."""

    contract_address: Address
    method_calls: Annotated[list[MethodCall], Field(min_length=1, max_length=100)]
    chain_id: ChainId
    contract_abi: Abi | None = None

    @model_validator(mode="after")
    def _known_methods(self) -> ContractReadConfig:
        known = {item.get("name") for item in self.contract_abi or [] if _callable(item)}
        for call in self.method_calls:
            if known and not call.call_data and call.method_name not in known:
                raise ValueError(
                    f"calls {call.method_name[:60]!r}, which contractAbi does not have"
                )
        return self


def _callable(item: dict[str, Any]) -> bool:
    # Until 2018 compilers left out the type of functions.
    return item.get("type", "function") == "function" and isinstance(item.get("name"), str)


class ContractWriteConfig(ContractReadConfig):
    """`value` in wei, sent with the last call; `atomic` makes all calls one operation."""

    call_data: CallData | None = None
    value: Wei | None = None
    gas_limit: Wei | None = None
    is_simulated: bool | None = None
    atomic: bool | None = None
