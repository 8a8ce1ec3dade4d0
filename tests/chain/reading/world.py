"""A development chain as these tests see it: its node, counted, and a few contracts on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import urllib3
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.failures import RpcError, error_of
from task_engine.evm.ports import RpcPort
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue

from infra_cdk.local.contracts import Deployment, DevelopmentNode, load_artifact

CHAIN_ID = 84532


class CountedRpc:
    """JSON-RPC as the engine uses it, with every batch remembered; `unsupported` methods are
    refused as nodes refuse what they have not got."""

    def __init__(self, url: str, unsupported: Iterable[str] = ()) -> None:
        self.chain_id = CHAIN_ID
        self.batches: list[list[str]] = []
        self._url = url
        self._unsupported = frozenset(unsupported)
        self._http = urllib3.PoolManager(retries=False, timeout=10)

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        [answer] = self.batch([(method, [*params])])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        self.batches.append([method for method, _ in calls])
        asked = [
            {"jsonrpc": "2.0", "id": i, "method": self._name(method), "params": params}
            for i, (method, params) in enumerate(calls)
        ]
        answers = self._http.request("POST", self._url, json=asked).json()
        by_id = {answer["id"]: answer for answer in answers}
        return [
            error_of(by_id[i]["error"]) if "error" in by_id[i] else by_id[i]["result"]
            for i in range(len(calls))
        ]

    def _name(self, method: str) -> str:
        return f"missing_{method}" if method in self._unsupported else method


@dataclass
class OneChain:
    """The only chain of a deployment."""

    node: RpcPort
    chain_settings: Chain = field(default_factory=lambda: Chain(CHAIN_ID))

    def rpc(self, chain_id: int) -> RpcPort:
        if chain_id != CHAIN_ID:
            raise NodeError(f"chain {chain_id} is not configured here", code="INVALID_NODE_CONFIG")
        return self.node

    def chain(self, chain_id: int) -> Chain:
        self.rpc(chain_id)
        return self.chain_settings


def items_of(value: JsonValue) -> list[dict[str, JsonValue]]:
    """The objects of a JSON array."""
    assert isinstance(value, list)
    return [item for item in value if isinstance(item, dict)]


def abi_of(artifact: str) -> list[dict[str, JsonValue]]:
    """The ABI as the compiler wrote it."""
    abi: list[dict[str, JsonValue]] = load_artifact(artifact)["abi"]
    return abi


def install_code(node: DevelopmentNode, address: Address, code: str) -> Address:
    """Puts runtime code at an address."""
    node.call("anvil_setCode", address, code)
    return address


def deploy(node: DevelopmentNode, artifact: str, salt: int, arguments: bytes = b"") -> Address:
    """A contract of its own for each salt."""
    return node.install(Deployment(artifact, salt, arguments))
