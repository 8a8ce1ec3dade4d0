"""Addresses as a checked type, in the mixed-case form of EIP-55."""

from __future__ import annotations

import functools
import re

from Crypto.Hash import keccak

from task_engine.errors import InvalidRequest

_FORM = re.compile(r"0[xX][0-9a-fA-F]{40}")
ZERO = "0x" + "0" * 40


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest (the original padding, not SHA-3's)."""
    return keccak.new(digest_bits=256, data=data).digest()


class Address(str):
    """A 20-byte address as text with its EIP-55 checksum.

    Made from `0x` or `0X` and 40 hex digits in any case; raises InvalidRequest with the code
    INVALID_ADDRESS for anything else.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Address:
        if not is_address(text):
            raise InvalidRequest(
                "an address is 0x and 40 hexadecimal digits", code="INVALID_ADDRESS"
            )
        return super().__new__(cls, _checksum(text[2:].lower()))

    @classmethod
    def of_bytes(cls, raw: bytes) -> Address:
        """The address of 20 bytes."""
        return cls("0x" + raw.hex())

    @property
    def raw(self) -> bytes:
        """The 20 bytes."""
        return bytes.fromhex(self[2:])


def is_address(text: object) -> bool:
    """Whether `text` has the form of an address; a wrong checksum does not matter."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None


@functools.lru_cache(maxsize=16_384)
def _checksum(digits: str) -> str:
    """EIP-55: a letter is upper case where the hash of the lower-case digits has a nibble >= 8."""
    nibbles = keccak256(digits.encode("ascii")).hex()
    cased = (
        char.upper() if nibble > "7" else char
        for char, nibble in zip(digits, nibbles, strict=False)
    )
    return "0x" + "".join(cased)
