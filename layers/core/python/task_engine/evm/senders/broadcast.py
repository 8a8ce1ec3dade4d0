"""Handing a signed transaction to a node, and what the node says to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort

# Nodes agree on no codes; these are words of geth, Erigon, Nethermind, Besu, Reth and anvil.
_KNOWN = ("already known", "already imported", "known transaction", "alreadyknown")
_TAKEN = (
    "nonce too low",
    "nonce is too low",
    "oldnonce",
    "replacement transaction underpriced",
    "replacement not allowed",
    "could not replace existing",
    "transaction with the same nonce",
)
_LONGEST_REASON = 200


class Verdict(Enum):
    """ACCEPTED also when the node had it before; TAKEN when another transaction has its nonce;
    UNCERTAIN for anything else: it may have arrived."""

    ACCEPTED = auto()
    TAKEN = auto()
    UNCERTAIN = auto()


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The node's answer; `reason` in words when it is not ACCEPTED."""

    verdict: Verdict
    reason: str = ""


def broadcast(rpc: RpcPort, raw: str) -> Broadcast:
    """Send the 0x-hex transaction; never raises for what the node or the network does."""
    try:
        rpc.call("eth_sendRawTransaction", raw)
    except RpcError as error:
        said = error.message.lower()
        if any(words in said for words in _KNOWN):
            return Broadcast(Verdict.ACCEPTED)
        taken = any(words in said for words in _TAKEN)
        reason = error.message.strip().partition("\n")[0][:_LONGEST_REASON]
        return Broadcast(Verdict.TAKEN if taken else Verdict.UNCERTAIN, reason)
    return Broadcast(Verdict.ACCEPTED)
