"""ethTransfer: sends the chain's coin."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from task_engine.compiler.schema.base import Address, ChainId, Form


def _amount(value: object) -> object:
    text = str(value).strip()
    if "{{" in text or text.upper() == "MAX" or (text.isascii() and text.isdigit()):
        return text
    raise ValueError("must be wei as a whole decimal number, or MAX")


class EthTransferConfig(Form):
    """`amount` in wei, or MAX."""

    destination: Address
    amount: Annotated[str, BeforeValidator(_amount)]
    chain_id: ChainId
