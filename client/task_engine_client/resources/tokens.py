"""Tokens on chains: what a contract says of itself."""

from __future__ import annotations

from urllib.parse import quote

from task_engine_client.records import TokenMetadata
from task_engine_client.transport import Transport


class Tokens:
    """Calls below /tokens; each raises ApiError and Unreachable. They are for partners: give the
    client an assertion."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, address: str, *, chain_id: int | None = None) -> TokenMetadata:
        """Name, symbol and decimals of a token's contract; `found` is False for an unknown one."""
        path = f"/tokens/{quote(address, safe='')}"
        return TokenMetadata.of(self._transport.send("GET", path, query={"chainId": chain_id}))
