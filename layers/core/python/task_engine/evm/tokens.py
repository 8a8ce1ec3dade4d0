"""What tokens are called and how many decimals they have."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal, Protocol, TypeAlias

from task_engine.evm.erc20 import DECIMALS, NAME, SYMBOL, read_decimals, read_text
from task_engine.evm.eth_call import RpcRequest, eth_call, returned
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.token_list import listed
from task_engine.model.json_value import JsonValue

UNKNOWN_SYMBOL = "UNKNOWN"
UNKNOWN_NAME = "Unknown Token"
USUAL_DECIMALS = 18
REQUESTS_PER_TOKEN = 3
_CACHED = 4096

Source: TypeAlias = Literal["whitelist", "rpc", "cache"]
Answer: TypeAlias = "JsonValue | RpcError"


@dataclass(frozen=True, slots=True)
class TokenMetadata:
    """`address` in lower case. `found` is False when nothing at the address answers as a token
    does; then name and symbol say unknown and `decimals` is 18."""

    found: bool
    address: str
    symbol: str
    name: str
    decimals: int
    source: Source


class Rpcs(Protocol):
    """Nodes by chain id."""

    def rpc(self, chain_id: int) -> RpcPort:
        """Raises NodeError for a chain that is not configured or has no RPC URL."""


class TokenService:
    """Looks tokens up: in the built-in list, in this process's memory, then on the chain.

    A token's metadata does not change in practice, so what was found is kept for the process's
    life; what was not found is asked again, since a contract may be deployed any time. Safe for
    threads.
    """

    def __init__(self, rpcs: Rpcs) -> None:
        self._rpcs = rpcs
        self._cache: OrderedDict[tuple[int, str], TokenMetadata] = OrderedDict()
        self._lock = Lock()

    def lookup(self, chain_id: int, address: str, until: float | None = None) -> TokenMetadata:
        """The token at `address` (0x and 40 hex digits in any case); `until` is monotonic seconds.

        Raises RpcError when the chain's node can't be asked, NodeError for an unknown chain.
        """
        known = self.known(chain_id, address)
        if known is not None:
            return known
        answers = self._rpcs.rpc(chain_id).batch(metadata_requests(address), until=until)
        return self.learn(chain_id, address, answers)

    def known(self, chain_id: int, address: str) -> TokenMetadata | None:
        """The token when no node need be asked."""
        token = listed(chain_id, address)
        if token is not None:
            lower = address.lower()
            return TokenMetadata(True, lower, token.symbol, token.name, token.decimals, "whitelist")
        with self._lock:
            kept = self._cache.get((chain_id, address.lower()))
        return replace(kept, source="cache") if kept is not None else None

    def learn(self, chain_id: int, address: str, answers: Sequence[Answer]) -> TokenMetadata:
        """The token of the answers to `metadata_requests`; remembered when it is one. Raises
        RpcError when it was the node that failed, not the contract."""
        token = _read(address.lower(), [_bytes(answer) for answer in answers])
        if token.found:
            with self._lock:
                self._cache[(chain_id, token.address)] = token
                if len(self._cache) > _CACHED:
                    self._cache.popitem(last=False)
        return token


def metadata_requests(address: str) -> list[RpcRequest]:
    """Symbol, name and decimals, in this order."""
    return [eth_call(address, data) for data in (SYMBOL, NAME, DECIMALS)]


def _read(address: str, answers: Sequence[bytes]) -> TokenMetadata:
    symbol, name, decimals = read_text(answers[0]), read_text(answers[1]), read_decimals(answers[2])
    return TokenMetadata(
        found=symbol is not None or decimals is not None,
        address=address,
        symbol=symbol or UNKNOWN_SYMBOL,
        name=name or UNKNOWN_NAME,
        decimals=USUAL_DECIMALS if decimals is None else decimals,
        source="rpc",
    )


def _bytes(answer: Answer) -> bytes:
    if not isinstance(answer, RpcError):
        return returned(answer)
    if answer.reverted:
        return b""
    raise answer
