"""The contracts that a development chain needs, at the addresses that they have everywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import urllib3
from task_engine.evm.address import Address, keccak256
from task_engine.evm.create2 import create2_address

from infra_cdk.local.settings import ROOT
from infra_cdk.local.waiting import StageError, wait_until

ARTIFACTS = ROOT / "contracts/artifacts"

# https://github.com/Arachnid/deterministic-deployment-proxy; anvil has it from the first block.
_DEPLOYER = Address("0x4e59b44847b379578588920cA78FbF26c0B4956C")
_ENTRY_POINTS = {
    "V07": 0x90D8084DEAB30C2A37C45E8D47F49F2F7965183CB6990A98943EF94940681DE3,
    "V08": 0x0A59DBFF790C23C976A548690C27297883CC66B4C67024F9117B0238995E35E9,
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """One contract: its artifact, the salt of its CREATE2, its constructor's encoded arguments."""

    artifact: str
    salt: int = 0
    arguments: bytes = b""

    @property
    def init_code(self) -> bytes:
        """Creation code and arguments."""
        return bytes.fromhex(load_artifact(self.artifact)["bytecode"][2:]) + self.arguments

    @property
    def address(self) -> Address:
        """Where it is or will be, on any chain."""
        salt = self.salt.to_bytes(32, "big")
        return create2_address(_DEPLOYER, salt, keccak256(self.init_code))


class DevelopmentNode:
    """A chain whose node signs for accounts of its own, as anvil does."""

    def __init__(self, rpc_url: str) -> None:
        self._url = rpc_url
        self._http = urllib3.PoolManager(retries=False, timeout=10)

    def call(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON
        """The result of one JSON-RPC call; raises StageError with the node's message."""
        answer = self.answer(method, *params)
        if "error" in answer:
            raise StageError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def answer(self, method: str, *params: object) -> dict[str, Any]:
        """The whole answer, with `result` or `error`; raises StageError when there is none."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer: dict[str, Any] = self._http.request("POST", self._url, json=request).json()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise StageError(f"the development chain does not answer {method}") from error
        return answer

    def send(self, to: Address, data: bytes = b"", value: int = 0) -> dict[str, Any]:
        """The receipt of a transaction of the node's first account, which is rich.

        Raises StageError when it reverts or is not mined in time.
        """
        sender = self.call("eth_accounts")[0]
        transaction = {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value)}
        receipt = self.receipt(self.call("eth_sendTransaction", transaction))
        if int(receipt["status"], 16) != 1:
            raise StageError(f"a transaction to {to} reverted on the development chain")
        return receipt

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        """The receipt of a transaction that was sent; raises StageError when it is not mined."""
        receipt: dict[str, Any] = wait_until(
            lambda: self.call("eth_getTransactionReceipt", transaction_hash),
            "a transaction of the development chain",
            timeout_seconds=30,
            interval_seconds=0.005,
        )
        return receipt

    def has_code(self, address: Address) -> bool:
        """Whether a contract stands there."""
        return len(self.call("eth_getCode", address, "latest")) > 2

    def install(self, deployment: Deployment) -> Address:
        """Deploy it where it is not yet; its address."""
        address = deployment.address
        if not self.has_code(address):
            self.send(_DEPLOYER, deployment.salt.to_bytes(32, "big") + deployment.init_code)
            if not self.has_code(address):
                raise StageError(f"{deployment.artifact} could not be deployed")
        return address


def canonical_deployments() -> dict[str, Deployment]:
    """Entry points and wallet factories by name, in the order in which they need each other."""
    deployments: dict[str, Deployment] = {}
    for version, salt in _ENTRY_POINTS.items():
        entry_point = Deployment(f"EntryPoint{version}", salt)
        argument = _word(entry_point.address)
        simple = Deployment(f"SimpleAccountFactory{version}", arguments=argument)
        session = Deployment("SessionAccountFactory", arguments=argument)
        deployments[f"EntryPoint{version}"] = entry_point
        deployments[f"SimpleAccountFactory{version}"] = simple
        deployments[f"SessionAccountFactory{version}"] = session
    return deployments


def install_contracts(rpc_url: str) -> dict[str, Address]:
    """Entry points 0.7 and 0.8 and the wallet factories for each; what is there stays untouched.

    The node must hold an unlocked account with money. Raises StageError.
    """
    node = DevelopmentNode(rpc_url)
    return {name: node.install(item) for name, item in canonical_deployments().items()}


def install_paymaster(rpc_url: str, signer: Address, deposit_wei: int) -> Address:
    """A VerifyingPaymaster of EntryPoint 0.7 that trusts `signer`, with at least that deposit."""
    node = DevelopmentNode(rpc_url)
    entry_point = canonical_deployments()["EntryPointV07"].address
    arguments = _word(entry_point) + _word(signer)
    paymaster = node.install(Deployment("VerifyingPaymasterV07", arguments=arguments))
    deposit_for(rpc_url, paymaster, deposit_wei)
    return paymaster


def deposit_for(rpc_url: str, account: Address, deposit_wei: int) -> None:
    """See to it that the account has at least that deposit at EntryPoint 0.7."""
    node = DevelopmentNode(rpc_url)
    entry_point = canonical_deployments()["EntryPointV07"].address
    query = _selector("balanceOf(address)") + _word(account)
    call = {"to": entry_point, "data": "0x" + query.hex()}
    missing = deposit_wei - int(node.call("eth_call", call, "latest"), 16)
    if missing > 0:
        node.send(entry_point, _selector("depositTo(address)") + _word(account), missing)


def install_token(rpc_url: str, name: str, symbol: str, decimals: int) -> Address:
    """A TestToken; the same words and decimals give the same token."""
    texts = _text(name), _text(symbol)
    head = _number(96) + _number(96 + len(texts[0])) + _number(decimals)
    arguments = head + b"".join(texts)
    return DevelopmentNode(rpc_url).install(Deployment("TestToken", arguments=arguments))


def install_counter(rpc_url: str) -> Address:
    """The Counter of the tests."""
    return DevelopmentNode(rpc_url).install(Deployment("Counter"))


def mint(rpc_url: str, token: Address, to: Address, amount: int) -> None:
    """Give `amount` units of a TestToken."""
    data = _selector("mint(address,uint256)") + _word(to) + _number(amount)
    DevelopmentNode(rpc_url).send(token, data)


@cache
def load_artifact(name: str) -> dict[str, Any]:
    """An artifact: contractName, compiler, abi, bytecode, deployedBytecode."""
    content: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text("utf-8"))
    return content


def _selector(signature: str) -> bytes:
    return keccak256(signature.encode("ascii"))[:4]


def _word(address: Address) -> bytes:
    return bytes(12) + address.raw


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _text(value: str) -> bytes:
    raw = value.encode("utf-8")
    return _number(len(raw)) + raw + bytes(-len(raw) % 32)
