"""Owners with wallets on the stage's development chains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount
from task_engine.evm.address import Address, keccak256

from infra_cdk.local.client import ApiClient
from infra_cdk.local.contracts import (
    DevelopmentNode,
    install_counter,
    install_token,
    load_artifact,
    mint,
)
from infra_cdk.local.login import sign_in, throw_away_account
from infra_cdk.local.stage import LocalStage

CHAIN = 11155111
SPONSORED = 84532
ETHER = 10**18
ENTRY_POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
OPERATION_EVENT = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"


def selector(signature: str) -> str:
    """The 4 bytes of a function, as 0x-hex."""
    return "0x" + keccak256(signature.encode()).hex()[:8]


@dataclass
class OnChain:
    """One owner with a funded wallet on one chain, and contracts there."""

    stage: LocalStage
    chain_id: int = CHAIN
    account: LocalAccount = field(default_factory=throw_away_account)

    def __post_init__(self) -> None:
        self.url = self.stage.record.chains[self.chain_id]
        self.node = DevelopmentNode(self.url)
        self.api: ApiClient = sign_in(ApiClient(self.stage.base_url), self.account)
        self.wallet = self.api.wallet
        self.counter = install_counter(self.url)
        self.token = install_token(self.url, "Test dollar", "TUSD", 6)

    def fund(self, wei: int = ETHER) -> None:
        self.node.call("anvil_setBalance", self.wallet, hex(wei))

    def mint(self, amount: int) -> None:
        mint(self.url, self.token, Address(self.wallet), amount)

    def grant(self, *actions: dict[str, Any], cap: int = 10**12, seconds: int = 3600) -> Any:
        """Prepare a policy, sign its typed data as wallets do, and submit it."""
        policy = {
            "chainId": self.chain_id,
            "agentLabel": "tests",
            "allowedActions": list(actions),
            "erc20SpendCap": {"token": self.token, "amount": str(cap)},
        }
        path = f"/wallets/{self.wallet}/policies"
        prepared = self.api.post(f"{path}:prepare", {**policy, "expiresInSeconds": seconds})
        signed = self.account.sign_typed_data(full_message=prepared["typedData"])
        echo = ("policyId", "chainId", "entityId", "deadline", "validUntil")
        body = {**policy, **{name: prepared[name] for name in echo}}
        return self.api.post(f"{path}:submit", {**body, "signature": "0x" + signed.signature.hex()})

    def action(self, target: str, *signatures: str, value: int = 0) -> dict[str, Any]:
        """An allowed action; "" is a plain transfer."""
        names = [selector(text) if text else "0x00000000" for text in signatures]
        return {"target": target, "selectors": names, "maxValue": str(value)}

    def contract(self, node_id: str, kind: str, *calls: dict[str, Any], **config: Any) -> Any:
        """A contractRead or contractWrite node of the counter."""
        return {
            "id": node_id,
            "name": node_id,
            "type": kind,
            "config": {
                "contractAddress": self.counter,
                "contractAbi": load_artifact("Counter")["abi"],
                "chainId": self.chain_id,
                "methodCalls": list(calls),
                **config,
            },
        }

    def call(self, signature: str, *words: int) -> int:
        """A number that the counter answers with."""
        data = selector(signature) + "".join(f"{value:064x}" for value in words)
        asked = {"to": self.counter, "data": data}
        return int(self.node.call("eth_call", asked, "latest"), 16)

    def counted(self) -> int:
        """How often this wallet raised the counter."""
        return self.call("countOf(address)", int(self.wallet, 16))

    def operations(self) -> int:
        """Operations of the wallet on chain."""
        wallet = "0x" + self.wallet[2:].lower().rjust(64, "0")
        topics = [OPERATION_EVENT, None, wallet]
        asked = {"fromBlock": "0x0", "toBlock": "latest", "topics": topics}
        return len(self.node.call("eth_getLogs", asked))

    def balance(self, address: str) -> int:
        return int(self.node.call("eth_getBalance", address, "latest"), 16)
