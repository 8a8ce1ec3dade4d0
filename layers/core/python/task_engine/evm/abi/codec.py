"""Typed values to and from the bytes of the contract ABI, by eth_abi.

https://docs.soliditylang.org/en/latest/abi-spec.html
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from task_engine.evm.abi.lean_import import (
    ABICodec,
    ABIRegistry,
    ByteStringDecoder,
    ContextFramesBytesIO,
    DecodingError,
    EncodingError,
    InsufficientDataBytes,
    registry,
)
from task_engine.evm.abi.parameter import AbiParameter
from task_engine.evm.address import Address
from task_engine.model.json_value import JsonValue

_READ_AGAIN = 16
_FREE_BYTES = 2**20


class Undecodable(ValueError):
    """Bytes that are not the encoding of the types they should be of."""


class Unencodable(ValueError):
    """A value that its type can't hold, although its form was right."""


class _Frames(ContextFramesBytesIO):
    """A stream that refuses data whose pointers make it be read over and over.

    Thousands of pointers to one long text would turn kilobytes of an answer into gigabytes; honest
    data is read a few times (eth_abi looks at the pointers before it follows them).
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)  # type: ignore[no-untyped-call]
        self._left = _READ_AGAIN * len(data) + _FREE_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        raw: bytes = super().read(size)
        self._left -= len(raw)
        if self._left < 0:
            raise Undecodable("it points to the same bytes again and again")
        return raw


class _BytesDecoder(ByteStringDecoder):
    """Dynamic bytes as Solidity reads them: whole, but with whatever padding there is."""

    def read_data_from_stream(self, stream: Any) -> bytes:  # noqa: ANN401
        head = stream.read(32)
        length = int.from_bytes(head, "big")
        if len(head) < 32 or length > len(stream.getbuffer()) - stream.tell():
            raise InsufficientDataBytes("fewer bytes than announced")
        raw: bytes = stream.read(length)
        return raw


class _TextDecoder(_BytesDecoder):
    """Text; bytes that are no UTF-8 are shown as U+FFFD, as JSON can't hold them."""

    @staticmethod
    def decoder_fn(data: bytes) -> str:
        return data.decode("utf-8", errors="replace")


def _codec() -> ABICodec:
    ours: ABIRegistry = registry.copy()  # type: ignore[no-untyped-call]
    for kind, decoder in (("string", _TextDecoder), ("bytes", _BytesDecoder)):
        ours.unregister_decoder(kind)
        ours.register_decoder(kind, decoder(), label=kind)  # type: ignore[no-untyped-call]
    codec = ABICodec(ours)
    codec.stream_class = _Frames
    return codec


_CODEC = _codec()


def encode(types: Sequence[str], values: Sequence[object]) -> bytes:
    """The encoding of typed values; raises Unencodable."""
    try:
        encoded: bytes = _CODEC.encode(list(types), list(values))
    except (EncodingError, OverflowError) as error:
        raise Unencodable("a value is out of its type's range") from error
    return encoded


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """The values that `data` begins with; raises Undecodable. Bytes after them are ignored."""
    try:
        decoded: tuple[Any, ...] = _CODEC.decode(list(types), data)
    except (DecodingError, OverflowError) as error:
        raise Undecodable("the bytes do not fit the types") from error
    return decoded


def decode_plain(parameters: Sequence[AbiParameter], data: bytes) -> list[JsonValue]:
    """What `data` holds in JSON: see `plain`; raises Undecodable."""
    values = decode([parameter.wire_type for parameter in parameters], data)
    return [plain(parameter, value) for parameter, value in zip(parameters, values, strict=True)]


def plain(parameter: AbiParameter, value: Any) -> JsonValue:  # noqa: ANN401
    """A decoded value in JSON without loss.

    Numbers are decimal texts, booleans "true" and "false", addresses checksummed, bytes 0x and
    lower-case hex; arrays are arrays, structs objects by field name (arrays when not every field
    has a name of its own).
    """
    if parameter.dimensions:
        element = parameter.element
        return [plain(element, item) for item in value]
    if parameter.base == "tuple":
        members = [plain(m, v) for m, v in zip(parameter.components, value, strict=True)]
        names = [member.name for member in parameter.components]
        if "" in names or len(set(names)) < len(names):
            return members
        return dict(zip(names, members, strict=True))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(Address(value)) if parameter.base == "address" else str(value)
