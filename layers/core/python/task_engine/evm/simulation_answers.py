"""The parts of a node's answers to simulations, read without faith in their form."""

from __future__ import annotations

from collections.abc import Mapping

from task_engine.errors import NodeError
from task_engine.evm.failures import RpcError
from task_engine.evm.simulated import Answer, StateOverride
from task_engine.model.json_value import JsonValue


def mapping(answer: Answer) -> Mapping[str, JsonValue]:
    """An object; raises the answer when it is an error, NodeError for anything else."""
    if isinstance(answer, RpcError):
        raise answer
    if not isinstance(answer, dict):
        raise unreadable()
    return answer


def unreadable() -> NodeError:
    """An answer of another form than it should have."""
    return NodeError(
        "the chain's node answered a simulation in a way that can't be read",
        code="SIMULATION_ERROR",
    )


def as_bytes(text: JsonValue) -> bytes:
    """Bytes of 0x-hexadecimal, none for anything that does not begin so; raises NodeError."""
    if not isinstance(text, str) or text[:2] != "0x":
        return b""
    try:
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise unreadable() from error


def as_number(value: JsonValue) -> int:
    """A whole number of hexadecimal text or of a number; 0 for none; raises NodeError."""
    try:
        return int(str(value), 16) if isinstance(value, str) else int(str(value or 0))
    except ValueError as error:
        raise unreadable() from error


def as_quantity(value: JsonValue) -> JsonValue:
    """The same as requests take it."""
    return hex(as_number(value))


def as_json(override: StateOverride) -> JsonValue:
    """An override as requests take it."""
    return {address: dict(account) for address, account in override.items()}
