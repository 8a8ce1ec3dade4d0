"""Where wallets are: by their factory, computed or asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from task_engine.errors import InvalidRequest, NodeError, Unavailable
from task_engine.evm.address import ZERO, Address
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.wallets.choice import wallet_provider
from task_engine.evm.wallets.provider import WalletProvider
from task_engine.model.chain import WALLET_PROVIDERS, Chain


class Nodes(Protocol):
    """Nodes by chain id."""

    def rpc(self, chain_id: int) -> RpcPort:
        """Raises NodeError for a chain that is not configured or has no RPC URL."""


class WalletFactories:
    """The factories of a deployment's chains. A wallet keeps the factory that made it: its own
    decides, whatever the chain's setting says by now."""

    def __init__(self, chains: Mapping[int, Chain], nodes: Nodes) -> None:
        self._chains = chains
        self._nodes = nodes

    def default(self, chain_id: int) -> str:
        """The factory of new wallets on a chain; the same everywhere unless a setting differs."""
        chain = self._chain(chain_id)
        return wallet_provider(chain.wallet_provider, chain.entry_point, chain.factory).factory

    def address(self, chain_id: int, factory: str, owner: str, salt: int) -> str:
        """The wallet's address: computed where the factory's code is known, else asked of it.

        Raises InvalidRequest when the factory makes no such wallets, Unavailable when nobody
        can be asked.
        """
        provider = self.provider(chain_id, factory)
        known = provider.address(Address(owner), salt)
        return known or self._asked(chain_id, provider, Address(owner), salt)

    def provider(self, chain_id: int, factory: str) -> WalletProvider:
        """How wallets of a factory are used: published factories are known, any other one is of the
        kind that the chain's setting names."""
        chain = self._chain(chain_id)
        for name in WALLET_PROVIDERS:
            for version in ("0.7", "0.8"):
                if name == "modular_account_v2" and version != "0.7":
                    continue
                provider = wallet_provider(name, version)
                if provider.factory == factory:
                    return provider
        return wallet_provider(chain.wallet_provider, chain.entry_point, factory)

    def _chain(self, chain_id: int) -> Chain:
        return self._chains.get(chain_id) or Chain(chain_id)

    def _asked(self, chain_id: int, provider: WalletProvider, owner: Address, salt: int) -> Address:
        data = "0x" + provider.derive_call(owner, salt).hex()
        try:
            rpc = self._nodes.rpc(chain_id)
            answer = rpc.call("eth_call", {"to": provider.factory, "data": data}, "latest")
        except RpcError as error:
            if error.may_retry:
                raise _unavailable(error) from error
            raise _no_factory() from error
        except NodeError as error:
            raise _unavailable(error) from error
        text = str(answer)
        if len(text) != 66 or int(text, 16) == 0 or int(text[2:26] or "0", 16) != 0:
            raise _no_factory()
        found = Address("0x" + text[26:])
        if found == ZERO:
            raise _no_factory()
        return found


def _no_factory() -> InvalidRequest:
    return InvalidRequest("the factory makes no wallets on this chain", code="WALLETS_BAD_ADDRESS")


def _unavailable(error: NodeError | RpcError) -> Unavailable:
    return Unavailable(f"the factory can't be asked: {error.message}", code="WALLETS_UNAVAILABLE")
