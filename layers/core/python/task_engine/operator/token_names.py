"""Token metadata while logs are looked at: asked of contracts that anybody may have deployed."""

from __future__ import annotations

import re
from typing import Protocol

from task_engine.evm.failures import RpcError
from task_engine.evm.tokens import UNKNOWN_NAME, UNKNOWN_SYMBOL, USUAL_DECIMALS, TokenMetadata

_KEPT = 4096
_ENDLESS = re.compile(
    r"execution (?:aborted|timeout|timed out)|out of gas|gas limit", re.IGNORECASE
)


class TokenPort(Protocol):
    """What tokens are called and how many decimals they have."""

    def lookup(self, chain_id: int, address: str) -> TokenMetadata:
        """Raises RpcError when the chain's node can't be asked, or the call fails there."""


class TokenNames:
    """The tokens of one chain. A contract that can't answer is no token, and never a reason to
    stop watching; what was found to be none is not asked again soon."""

    def __init__(self, tokens: TokenPort, chain_id: int) -> None:
        self._tokens = tokens
        self._chain_id = chain_id
        self._none: dict[str, TokenMetadata] = {}

    def lookup(self, address: str) -> TokenMetadata:
        """Raises RpcError only when the node is to blame."""
        if address in self._none:
            return self._none[address]
        try:
            token = self._tokens.lookup(self._chain_id, address)
        except RpcError as error:
            if not contracts_fault(error):
                raise
            token = _no_token(address)
        if not token.found:
            if len(self._none) >= _KEPT:
                self._none.clear()
            self._none[address] = token
        return token

    def decimals(self, address: str) -> int | None:
        """None for what is no token; raises like `lookup`."""
        token = self.lookup(address)
        return token.decimals if token.found else None


def contracts_fault(error: RpcError) -> bool:
    """Whether the contract that was called is to blame: then asking again changes nothing. A call
    that never ends counts, although nodes call it a timeout."""
    return not error.may_retry or _ENDLESS.search(error.message) is not None


def _no_token(address: str) -> TokenMetadata:
    return TokenMetadata(
        found=False,
        address=address.lower(),
        symbol=UNKNOWN_SYMBOL,
        name=UNKNOWN_NAME,
        decimals=USUAL_DECIMALS,
        source="rpc",
    )
