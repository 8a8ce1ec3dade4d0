"""Values that fill one word each, as most reads have, without eth_abi: neither its time to load nor
its way round.

https://docs.soliditylang.org/en/latest/abi-spec.html#formal-specification-of-the-encoding
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from task_engine.evm.abi.parameter import AbiParameter
from task_engine.evm.address import Address
from task_engine.evm.words import WORD, word
from task_engine.model.json_value import JsonValue

_ADDRESS = 20


def encode_words(parameters: Sequence[AbiParameter], values: Sequence[object]) -> bytes | None:
    """The encoding of values that `coerce_all` has checked; None when one of them is no word."""
    parts = []
    for parameter, value in zip(parameters, values, strict=True):
        if _reader(parameter) is None:
            return None
        # Numbers and addresses stand at the right end of their word, bytes at the left.
        if isinstance(value, int):
            parts.append(word(value))
        elif isinstance(value, bytes):
            right = parameter.base == "address"
            parts.append(value.rjust(WORD, b"\0") if right else value.ljust(WORD, b"\0"))
        else:
            return None
    return b"".join(parts)


def decode_words(parameters: Sequence[AbiParameter], data: bytes) -> list[JsonValue] | None:
    """The values in JSON as `codec.plain` writes them; None when one of them is no word, or not the
    encoding of its type, which the codec has words for."""
    if len(data) < WORD * len(parameters):
        return None
    values: list[JsonValue] = []
    for place, parameter in enumerate(parameters):
        read = _reader(parameter)
        if read is None:
            return None
        text = read(parameter, data[place * WORD : (place + 1) * WORD])
        if text is None:
            return None
        values.append(text)
    return values


def _reader(parameter: AbiParameter) -> Callable[[AbiParameter, bytes], str | None] | None:
    """None for what does not fill exactly one word."""
    if parameter.dimensions or (parameter.base == "bytes" and not parameter.size):
        return None
    return _READERS.get(parameter.base)


def _uint(parameter: AbiParameter, raw: bytes) -> str | None:
    number = int.from_bytes(raw, "big")
    return str(number) if number >> parameter.size == 0 else None


def _int(parameter: AbiParameter, raw: bytes) -> str | None:
    number = int.from_bytes(raw, "big", signed=True)
    limit = 1 << (parameter.size - 1)
    return str(number) if -limit <= number < limit else None


def _bool(_parameter: AbiParameter, raw: bytes) -> str | None:
    number = int.from_bytes(raw, "big")
    return None if number > 1 else "true" if number else "false"


def _address(_parameter: AbiParameter, raw: bytes) -> str | None:
    head, address = raw[: WORD - _ADDRESS], raw[WORD - _ADDRESS :]
    return None if any(head) else str(Address.of_bytes(address))


def _bytes(parameter: AbiParameter, raw: bytes) -> str | None:
    return None if any(raw[parameter.size :]) else "0x" + raw[: parameter.size].hex()


_READERS: dict[str, Callable[[AbiParameter, bytes], str | None]] = {
    "uint": _uint,
    "int": _int,
    "bool": _bool,
    "address": _address,
    "bytes": _bytes,
}
