"""balance: what an address holds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from task_engine.compiler.schema.base import Address, Form


class BalanceConfig(Form):
    """`chain` is a name, a decimal or a hexadecimal id."""

    address: Address
    chain: str | int
    include_spam: bool | None = None
    include_zero_balances: bool | None = None
    min_usd_value: Annotated[float, Field(ge=0)] | None = None
    min_usd_value_cents: Annotated[int, Field(ge=0)] | None = None
    token_addresses: list[Any] | None = None
