"""ethTransfer: sends the chain's coin."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from task_engine.compiler.schema.base import (
    TEMPLATE,
    Address,
    ChainId,
    Form,
    Text,
    described,
    has_template,
)

_AMOUNT = re.compile(r"[0-9]{1,78}|max", re.IGNORECASE)


def _amount(value: str) -> str:
    if has_template(value) or _AMOUNT.fullmatch(value.strip()):
        return value
    raise ValueError("must be wei as a whole decimal number, or MAX")


class EthTransferConfig(Form):
    """`amount` in wei as a text, or MAX."""

    destination: Address
    amount: Annotated[
        Text,
        AfterValidator(_amount),
        described(rf"^\s*([0-9]{{1,78}}|[mM][aA][xX])\s*$|{TEMPLATE}", "1000000000000000", "MAX"),
    ]
    chain_id: ChainId
