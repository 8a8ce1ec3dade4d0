"""eth_call: one read of a contract, as the node's JSON-RPC has it.

https://ethereum.github.io/execution-apis/api-documentation/
"""

from __future__ import annotations

import math
from typing import TypeAlias

from task_engine.errors import NodeError
from task_engine.evm.failures import RpcError
from task_engine.model.json_value import JsonValue

RpcRequest: TypeAlias = "tuple[str, list[JsonValue]]"
LATEST = "latest"
_UNKNOWN_BLOCK = ("header not found", "unknown block", "block not found", "blockoutofrange")


def eth_call(
    to: str, data: bytes, *, sender: str = "", block: str = LATEST, overrides: JsonValue = None
) -> RpcRequest:
    """The request; `sender` "" leaves msg.sender to the node, `overrides` is a state override."""
    call: dict[str, JsonValue] = {"to": to, "data": "0x" + data.hex()}
    if sender:
        call["from"] = sender
    params: list[JsonValue] = [call, block]
    return ("eth_call", params if overrides is None else [*params, overrides])


def returned(answer: JsonValue) -> bytes:
    """The bytes a call gave back; raises NodeError RPC_NODE_ERROR for what is no hexadecimal."""
    if isinstance(answer, str) and answer[:2] == "0x":
        try:
            return bytes.fromhex(answer[2:])
        except ValueError:
            pass
    raise NodeError("the chain's node answered a call with no bytes", code="RPC_NODE_ERROR")


def quantity(answer: JsonValue | RpcError) -> int:
    """The whole number of an answer; raises the answer when it is an error, and NodeError
    RPC_NODE_ERROR for what is no number."""
    if isinstance(answer, RpcError):
        raise answer
    try:
        return int(str(answer), 16)
    except ValueError as error:
        text = "the chain's node answered with no number"
        raise NodeError(text, code="RPC_NODE_ERROR") from error


def lacks_block(error: RpcError) -> bool:
    """Whether the node has not got the block asked for, as one that lags behind another has not."""
    text = error.message.lower()
    return any(words in text for words in _UNKNOWN_BLOCK)


def until_of(deadline: float) -> float | None:
    """A scope's deadline as RPC clients take it: None for one without an end."""
    return None if math.isinf(deadline) else deadline
