"""The ABI's layout by hand, for the few shapes of wallets and entry points.

A value that has its place in the head is plain bytes (a multiple of 32); one that has an offset
there is a Tail. https://docs.soliditylang.org/en/latest/abi-spec.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from task_engine.evm.address import Address


@dataclass(frozen=True, slots=True)
class Tail:
    """The encoding of a value of dynamic size, to stand behind the head."""

    content: bytes


def number(value: int) -> bytes:
    """An unsigned integer as a word."""
    return value.to_bytes(32, "big")


def address(value: Address | str | None) -> bytes:
    """An address as a word; none is zero."""
    return bytes(32) if value is None else bytes(12) + bytes.fromhex(value[2:])


def fixed_bytes(value: bytes) -> bytes:
    """bytes1 to bytes32 as a word."""
    return value.ljust(32, b"\0")


def dynamic_bytes(value: bytes) -> Tail:
    """A value of the type `bytes`."""
    return Tail(number(len(value)) + value + bytes(-len(value) % 32))


def array(items: Sequence[bytes | Tail]) -> Tail:
    """An array of a length that its type does not say."""
    return Tail(number(len(items)) + sequence(*items))


def structure(*fields: bytes | Tail) -> Tail:
    """A struct with at least one field of dynamic size."""
    return Tail(sequence(*fields))


def sequence(*parts: bytes | Tail) -> bytes:
    """Heads, then tails: arguments of a call after the selector, or what `abi.encode` gives."""
    start = sum(32 if isinstance(part, Tail) else len(part) for part in parts)
    head, tail = bytearray(), bytearray()
    for part in parts:
        if isinstance(part, Tail):
            head += number(start + len(tail))
            tail += part.content
        else:
            head += part
    return bytes(head + tail)
