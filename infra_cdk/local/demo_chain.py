"""The demo's part on chain: a wallet with a session policy pays out of what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from task_engine.evm.address import Address, keccak256

from infra_cdk.local.client import ApiClient
from infra_cdk.local.contracts import DevelopmentNode, install_token, load_artifact, mint
from infra_cdk.local.demo_task import edges, node, trigger
from infra_cdk.local.stage import LocalStage

Json = Any
CHAIN_ID = 11_155_111
_ETHER = 10**18
_DECIMALS = 6
_HELD = 250_000_000
_PAYEE = Address("0x00000000000000000000000000000000000000aa")
_TRANSFER = "transfer(address,uint256)"
# The read has applied the decimals already; transfers want the smallest unit, as text.
_PLAN = """
const held = Number(tokens.data.balanceOf);
return { held, amount: String(Math.floor(held / 5 * 10 ** 6)) };
"""


@dataclass(frozen=True, slots=True)
class Payout:
    """What the task did, and what the chain says: balances in the token's smallest unit."""

    execution: Json
    receipt: Json
    wallet_before: int
    wallet_after: int
    payee_after: int
    gas_paid: int

    @property
    def moved(self) -> int:
        """How much left the wallet."""
        return self.wallet_before - self.wallet_after


class ChainDemo:
    """One owner on the stage's own development chain."""

    def __init__(self, stage: LocalStage, client: ApiClient, account: LocalAccount) -> None:
        self.client = client
        self.account = account
        self.url = stage.record.chains[CHAIN_ID]
        self.node = DevelopmentNode(self.url)
        self.wallet = Address(client.wallet)
        self.token = install_token(self.url, "Demo dollar", "DUSD", _DECIMALS)

    def provide(self) -> None:
        """Give the wallet some of the token and one ether for gas. Its contract is deployed by its
        first operation."""
        mint(self.url, self.token, self.wallet, _HELD)
        self.node.call("anvil_setBalance", self.wallet, hex(_ETHER))

    def grant(self) -> Json:
        """The owner lets the engine's key transfer that token for an hour, up to a cap; the typed
        data is signed as a wallet signs it."""
        policy = {
            "chainId": CHAIN_ID,
            "agentLabel": "the demo",
            "allowedActions": [{"target": self.token, "selectors": [_selector(_TRANSFER)]}],
            "erc20SpendCap": {"token": self.token, "amount": str(_HELD // 2)},
        }
        path = f"/wallets/{self.wallet}/policies"
        prepared = self.client.post(f"{path}:prepare", {**policy, "expiresInSeconds": 3600})
        signed = self.account.sign_typed_data(full_message=prepared["typedData"])
        echo = ("policyId", "chainId", "entityId", "deadline", "validUntil")
        body = {**policy, **{name: prepared[name] for name in echo}}
        body["signature"] = "0x" + signed.signature.hex()
        return self.client.post(f"{path}:submit", body)

    def pay(self) -> Payout:
        """Run the task to its end."""
        before, ether = self._tokens_of(self.wallet), self._ether()
        task = self.client.create_task(_task(self.token, self.wallet))
        started = self.client.trigger(task["id"], blocking=False)
        execution = self.client.finished(task["id"], started["executionId"])
        paid = [step for step in execution["steps"] if step.get("name") == "pay"]
        told = paid[0].get("metadata") if paid else None
        return Payout(
            execution=execution,
            receipt=self._receipt(told[0]["receipt"]["transactionHash"]) if told else {},
            wallet_before=before,
            wallet_after=self._tokens_of(self.wallet),
            payee_after=self._tokens_of(_PAYEE),
            gas_paid=ether - self._ether(),
        )

    def _receipt(self, tx_hash: str) -> Json:
        """As the node has it, {} when it knows of none."""
        if not tx_hash.startswith("0x"):
            return {}
        return self.node.call("eth_getTransactionReceipt", tx_hash) or {}

    def _tokens_of(self, account: Address) -> int:
        data = _selector("balanceOf(address)") + account[2:].lower().rjust(64, "0")
        asked = {"to": self.token, "data": data}
        return int(self.node.call("eth_call", asked, "latest"), 16)

    def _ether(self) -> int:
        return int(self.node.call("eth_getBalance", self.wallet, "latest"), 16)


def _task(token: str, wallet: str) -> Json:
    """Read what the wallet holds, work out a fifth, and pay it where it is worth the while."""
    contract = {
        "contractAddress": token,
        "contractAbi": load_artifact("TestToken")["abi"],
        "chainId": CHAIN_ID,
    }
    balance = {"methodName": "balanceOf", "methodParams": [wallet]}
    decimals = {"methodName": "decimals", "methodParams": [], "applyToFields": ["balanceOf"]}
    transfer = {"methodName": "transfer", "methodParams": [_PAYEE, "{{plan.data.amount}}"]}
    conditions = [
        {"id": "yes", "type": "if", "expression": "plan.data.held >= 100"},
        {"id": "no", "type": "else", "expression": ""},
    ]
    return {
        "name": "pay a fifth",
        "trigger": trigger("manual", {"lang": "json", "data": {}}),
        "nodes": [
            node("tokens", "contractRead", {**contract, "methodCalls": [balance, decimals]}),
            node("plan", "customCode", {"lang": "javascript", "source": _PLAN}),
            node("enough", "branch", {"conditions": conditions}),
            node("pay", "contractWrite", {**contract, "methodCalls": [transfer]}),
            node("poor", "customCode", {"lang": "javascript", "source": "return 'too little'"}),
        ],
        "edges": edges(
            ("start", "tokens"),
            ("tokens", "plan"),
            ("plan", "enough"),
            ("enough.yes", "pay"),
            ("enough.no", "poor"),
        ),
        "maxExecution": 1,
    }


def _selector(signature: str) -> str:
    return "0x" + keccak256(signature.encode()).hex()[:8]
