"""Logs into events of a contract's interface.

https://docs.soliditylang.org/en/latest/abi-spec.html#events
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.item import AbiEvent, member_names
from task_engine.model.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class DecodedEvent:
    """An event's name, canonical signature, and fields by name.

    Numbers and booleans are texts, like a method's outputs; an indexed field that does not fit a
    word (a text, bytes, an array, a struct) is the 32-byte hash that the log holds of it.
    """

    name: str
    fields: dict[str, JsonValue]
    signature: str


def decode_log(abi: ContractAbi, log: Mapping[str, JsonValue]) -> DecodedEvent | None:
    """The event that `log` (`topics` and `data` as 0x hex) is one of, or None.

    None when the ABI has no event of that signature with that many indexed fields, when it is
    anonymous, and when the data does not fit: anybody can emit anything. An ABI that was put
    together from several may have the same signature twice, told apart by what is indexed
    (`Transfer` of ERC-20 and of ERC-721).
    """
    topics, data = _words(log.get("topics")), _raw(log.get("data"))
    if not topics or data is None:
        return None
    for event in abi.events:
        indexed = sum(parameter.indexed for parameter in event.inputs)
        if event.anonymous or indexed != len(topics) - 1 or event.digest != topics[0]:
            continue
        fields = _fields(event, topics[1:], data)
        if fields is not None:
            return DecodedEvent(event.name, fields, event.signature)
    return None


def _fields(event: AbiEvent, topics: list[bytes], data: bytes) -> dict[str, JsonValue] | None:
    from task_engine.evm.abi import codec  # noqa: PLC0415 - loads eth_abi

    try:
        stored = iter(codec.decode_plain([p for p in event.inputs if not p.indexed], data))
        words = iter(topics)
        values = [
            next(stored)
            if not parameter.indexed
            else codec.decode_plain([parameter], next(words))[0]
            if parameter.is_value_type
            else "0x" + next(words).hex()
            for parameter in event.inputs
        ]
    except codec.Undecodable:
        return None
    return dict(zip(member_names(event.inputs, "arg"), values, strict=True))


def _words(topics: JsonValue) -> list[bytes]:
    """The topics, or nothing when one of them is not 32 bytes."""
    words = [_raw(topic) or b"" for topic in topics] if isinstance(topics, list) else []
    return words if all(len(word) == 32 for word in words) else []


def _raw(text: JsonValue) -> bytes | None:
    if not isinstance(text, str) or text[:2] not in ("0x", "0X"):
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None
