"""contractRead and contractWrite: methods of a contract."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from task_engine.compiler.schema.base import MAX_ABI_BYTES, Address, ChainId, Form, Text


def _abi(items: list[Any]) -> list[Any]:
    if len(json.dumps(items)) > MAX_ABI_BYTES:
        raise ValueError("is larger than 1 MiB")
    return items


Abi = Annotated[list[dict[str, Any]], AfterValidator(_abi)]


class MethodCall(Form):
    """`callData` is used literally where it is given."""

    method_name: Text
    method_params: list[Any] | None = None
    call_data: str | None = None
    apply_to_fields: list[str] | None = None
    contract_address: Address | None = None


class ContractReadConfig(Form):
    """All methods are read at one block."""

    contract_address: Address
    method_calls: Annotated[list[MethodCall], Field(min_length=1)]
    chain_id: ChainId
    contract_abi: Abi | None = None


class ContractWriteConfig(ContractReadConfig):
    """`value` in wei."""

    call_data: str | None = None
    value: str | None = None
    gas_limit: str | None = None
    is_simulated: bool | None = None
