"""Calls whose arguments are single words, and answers read word by word, without eth_abi.

For functions that make a few known calls (`balanceOf`, `decimals`, ...): the ABI library costs
them more to load than everything else they do.
https://docs.soliditylang.org/en/latest/abi-spec.html#formal-specification-of-the-encoding
"""

from __future__ import annotations

import functools

from task_engine.evm.address import Address, keccak256

WORD = 32


class ShortAnswer(ValueError):
    """An answer that ends before what is read from it."""


def word(number: int) -> bytes:
    """An integer as 32 bytes, a negative one as its two's complement; OverflowError beyond."""
    return number.to_bytes(WORD, "big", signed=number < 0)


def address_word(address: str) -> bytes:
    """An address as 32 bytes; raises InvalidRequest, INVALID_ADDRESS."""
    return bytes(WORD - 20) + Address(address).raw


@functools.lru_cache(maxsize=256)
def selector(signature: str) -> bytes:
    """The first 4 bytes of the hash of a canonical signature."""
    return keccak256(signature.encode())[:4]


def call_data(signature: str, *words: bytes) -> bytes:
    """Call data of a function whose parameters are all static words."""
    return selector(signature) + b"".join(words)


def raw_word(data: bytes, index: int = 0) -> bytes:
    """The 32 bytes at word `index`; raises ShortAnswer."""
    raw = data[index * WORD : (index + 1) * WORD]
    if len(raw) < WORD:
        raise ShortAnswer(f"the answer has no word {index}")
    return raw


def read_word(data: bytes, index: int = 0) -> int:
    """The unsigned integer at word `index`; raises ShortAnswer."""
    return int.from_bytes(raw_word(data, index), "big")


def read_signed(data: bytes, index: int = 0) -> int:
    """The signed integer at word `index`; raises ShortAnswer."""
    return int.from_bytes(raw_word(data, index), "big", signed=True)


def read_address(data: bytes, index: int = 0) -> Address:
    """The address at word `index`, its upper 12 bytes ignored; raises ShortAnswer."""
    return Address.of_bytes(raw_word(data, index)[12:])


def read_text(data: bytes) -> str:
    """The single `string` of an answer, or the `bytes32` that old tokens give instead.

    Bytes that are no UTF-8 become U+FFFD. Raises ShortAnswer when it is neither.
    """
    if len(data) == WORD:
        return data.rstrip(b"\0").decode("utf-8", errors="replace")
    start = read_word(data)
    length = int.from_bytes(raw_word(data[start:]), "big") if start < len(data) else 0
    text = data[start + WORD : start + WORD + length]
    if start < WORD or start >= len(data) or len(text) < length:
        raise ShortAnswer("the answer is not a text")
    return text.decode("utf-8", errors="replace")
