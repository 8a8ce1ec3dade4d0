"""What wallets and the controller's key say about grants."""

from __future__ import annotations

from task_engine.errors import NodeError, NotImplementedHere, Unavailable
from task_engine.evm.address import Address
from task_engine.evm.failures import RpcError
from task_engine.evm.signature import recover_digest_signer
from task_engine.evm.signer import Signer
from task_engine.evm.wallets.factories import Nodes, WalletFactories
from task_engine.evm.wallets.provider import WalletProvider
from task_engine.model.grant import Grant
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.wallet import Wallet

_EPOCH = "0x900cf0cf"


class WalletGrants:
    """Implements GrantDesk for wallets that take grants."""

    def __init__(self, factories: WalletFactories, nodes: Nodes, controller: Signer | None) -> None:
        self._factories = factories
        self._nodes = nodes
        self._controller = controller

    def controller(self) -> str:
        """The address of the controller's key, "" without one."""
        return "" if self._controller is None else self._controller.address

    def epoch(self, wallet: Wallet) -> int:
        """Of the contract; 0 where there is none yet. Raises Unavailable."""
        try:
            rpc = self._nodes.rpc(wallet.chain_id)
            asked: dict[str, JsonValue] = {"to": wallet.address, "data": _EPOCH}
            answer = rpc.call("eth_call", asked, "latest")
        except RpcError as error:
            if not error.may_retry:
                return 0
            raise _unavailable(error) from error
        except NodeError as error:
            raise _unavailable(error) from error
        text = str(answer)
        return int(text, 16) if len(text) == 66 else 0

    def typed_data(self, wallet: Wallet, grant: Grant) -> JsonObject:
        """What the owner signs; raises NotImplementedHere for a wallet without grants."""
        return self._provider(wallet).typed_data(grant)

    def digest(self, wallet: Wallet, grant: Grant) -> str:
        """Its digest as 0x-hex."""
        return "0x" + self._provider(wallet).grant_digest(grant).hex()

    def signed_by(self, wallet: Wallet, grant: Grant) -> str:
        """Who made the grant's signature; raises Unauthenticated."""
        return recover_digest_signer(self._provider(wallet).grant_digest(grant), grant.signature)

    def revocation(self, wallet: Wallet, grant: Grant) -> tuple[str, str]:
        """Target and call data with which the owner ends the grant on chain."""
        call = self._provider(wallet).revoke_call(grant)
        return Address(call.to), "0x" + call.data.hex()

    def _provider(self, wallet: Wallet) -> WalletProvider:
        provider = self._factories.provider(wallet.chain_id, wallet.factory)
        if not provider.grants:
            raise NotImplementedHere(f"{provider.name} wallets take no session policies")
        return provider


def _unavailable(error: NodeError | RpcError) -> Unavailable:
    return Unavailable(
        f"the wallet can't be asked on its chain: {error.message}", code="POLICIES_UNAVAILABLE"
    )
