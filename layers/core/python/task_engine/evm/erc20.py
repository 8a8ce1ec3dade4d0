"""ERC-20 calls: what balances and token metadata need, and no more.

https://eips.ethereum.org/EIPS/eip-20
"""

from __future__ import annotations

from task_engine.evm.abi.formatting import MAX_DECIMALS
from task_engine.evm.words import WORD, ShortAnswer, address_word, call_data, read_word
from task_engine.evm.words import read_text as read_any_text

SYMBOL = call_data("symbol()")
NAME = call_data("name()")
DECIMALS = call_data("decimals()")
_MAX_TEXT = 120


def balance_of(holder: str) -> bytes:
    """Call data of `balanceOf(holder)`."""
    return call_data("balanceOf(address)", address_word(holder))


def allowance(holder: str, spender: str) -> bytes:
    """Call data of `allowance(holder, spender)`."""
    return call_data("allowance(address,address)", address_word(holder), address_word(spender))


def read_uint(returned: bytes) -> int | None:
    """The first word; None when there is none."""
    return read_word(returned) if len(returned) >= WORD else None


def read_decimals(returned: bytes) -> int | None:
    """What `decimals()` gave; None for what can't be a number of decimals."""
    value = read_uint(returned)
    return value if value is not None and value <= MAX_DECIMALS else None


def read_text(returned: bytes) -> str | None:
    """What `symbol()` or `name()` gave, as a string or the bytes32 of old tokens; None for none.
    Control characters are dropped and the length is bounded: anybody may deploy a token."""
    try:
        text = read_any_text(returned)
    except ShortAnswer:
        return None
    shown = "".join(char for char in text if char.isprintable()).strip()
    return shown[:_MAX_TEXT] or None
