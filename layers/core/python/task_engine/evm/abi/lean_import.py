"""The parts of eth_abi that the codec is made of."""

from __future__ import annotations

from eth_abi.codec import ABICodec
from eth_abi.decoding import ByteStringDecoder, ContextFramesBytesIO
from eth_abi.exceptions import DecodingError, EncodingError, InsufficientDataBytes
from eth_abi.registry import ABIRegistry, registry

__all__ = [
    "ABICodec",
    "ABIRegistry",
    "ByteStringDecoder",
    "ContextFramesBytesIO",
    "DecodingError",
    "EncodingError",
    "InsufficientDataBytes",
    "registry",
]
