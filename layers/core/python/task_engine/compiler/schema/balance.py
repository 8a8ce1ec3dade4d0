"""balance: what an address holds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from task_engine.compiler.chain_names import chain_id_of
from task_engine.compiler.schema.base import Address, Form, has_template


def _chain(value: object) -> object:
    if has_template(value) or chain_id_of(value) is not None:
        return value
    raise ValueError("must be a chain: a name such as sepolia or base, or an id")


class BalanceConfig(Form):
    """`chain` is a name, a decimal or a hexadecimal id."""

    address: Address
    chain: Annotated[Any, BeforeValidator(_chain, json_schema_input_type=str | int)]
    include_spam: bool | None = None
    include_zero_balances: bool | None = None
    min_usd_value: Annotated[float, Field(ge=0)] | None = None
    min_usd_value_cents: Annotated[int, Field(ge=0)] | None = None
    token_addresses: list[Any] | None = None
