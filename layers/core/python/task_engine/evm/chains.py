"""The chains that a deployment serves, and a client for each, made when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from task_engine.clock import Clock
from task_engine.errors import NodeError
from task_engine.evm.rpc import Rpc
from task_engine.model.chain import Chain


class Chains:
    """Chains by id; one of it for a process, safe for threads."""

    def __init__(
        self,
        chains: Mapping[int, Chain],
        *,
        clock: Clock | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._chains = chains
        self._clock = clock
        self._timeout = timeout_seconds
        self._clients: dict[tuple[str, int], Rpc] = {}
        self._lock = threading.Lock()

    def chain(self, chain_id: int) -> Chain:
        """The chain; raises NodeError INVALID_NODE_CONFIG when it is not served here."""
        chain = self._chains.get(chain_id)
        if chain is None:
            known = ", ".join(str(known) for known in sorted(self._chains)) or "none"
            raise NodeError(
                f"chain {chain_id} is not configured here (there are: {known})",
                code="INVALID_NODE_CONFIG",
            )
        return chain

    def rpc(self, chain_id: int) -> Rpc:
        """Its nodes; raises NodeError, RPC_NODE_ERROR when it has no URL."""
        chain = self.chain(chain_id)
        if not chain.rpc_urls:
            raise NodeError(f"chain {chain_id} has no RPC URL here", code="RPC_NODE_ERROR")
        return self._client("node", chain_id, lambda: self._rpc(chain))

    def bundler(self, chain_id: int) -> Rpc | None:
        """Its ERC-4337 bundler, None where the engine bundles itself; raises NodeError."""
        return self._service("bundler", chain_id, self.chain(chain_id).bundler_url)

    def paymaster(self, chain_id: int) -> Rpc | None:
        """Its ERC-7677 paymaster service, None where there is none; raises NodeError."""
        return self._service("paymaster", chain_id, self.chain(chain_id).paymaster_url)

    def _service(self, kind: str, chain_id: int, url: str) -> Rpc | None:
        if not url:
            return None
        chain = replace(self.chain(chain_id), rpc_urls=(url,))
        return self._client(kind, chain_id, lambda: self._rpc(chain, check_chain=False))

    def _rpc(self, chain: Chain, *, check_chain: bool = True) -> Rpc:
        return Rpc(chain, clock=self._clock, timeout_seconds=self._timeout, check_chain=check_chain)

    def _client(self, kind: str, chain_id: int, make: Callable[[], Rpc]) -> Rpc:
        with self._lock:
            client = self._clients.get((kind, chain_id))
            if client is None:
                client = self._clients[kind, chain_id] = make()
            return client
