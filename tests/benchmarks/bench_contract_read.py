"""A hundred contract reads in one node, beside one read and beside a bare JSON-RPC batch.

Nodes of chains are never on this machine, so one and a hundred are also compared with a round trip
of 20 ms: on loopback the chain's own work on a hundred calls is all there is.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from task_engine.evm.address import Address
from task_engine.evm.chains import Chains
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.words import address_word, call_data
from task_engine.model.chain import Chain
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_read import ContractReadProcessor

from infra_cdk.local.chain import start_chain
from infra_cdk.local.contracts import install_token, load_artifact
from infra_cdk.local.settings import LocalSettings

CHAIN_ID = 84532
READS = 100
ROUNDS = 60
WARM_UP = 10
ROUND_TRIP_SECONDS = 0.02
_HOLDERS = [Address.of_bytes(number.to_bytes(20, "big")) for number in range(1, READS + 1)]


def run() -> list[dict[str, object]]:
    """Medians over works that take turns; the node is anvil on this machine."""
    with tempfile.TemporaryDirectory(prefix="task-engine-") as place:
        chain = start_chain(LocalSettings.for_own_stage(), CHAIN_ID, Path(place))
        try:
            return _measured(chain.rpc_url)
        finally:
            chain.process.stop()


def _measured(url: str) -> list[dict[str, object]]:
    token = install_token(url, "Test Dollar", "TUSD", 6)
    chains = Chains({CHAIN_ID: Chain(CHAIN_ID, (url,))})
    processor = ContractReadProcessor(chains)
    one, hundred = _node(token, 1), _node(token, READS)
    batch = _BareBatch(url, token)
    distant = ContractReadProcessor(_Distant(chains.rpc(CHAIN_ID)))
    single, many, bare, far_single, far_many = _medians(
        lambda: processor.run(one, Scope({})).error,
        lambda: processor.run(hundred, Scope({})).error,
        batch.send,
        lambda: distant.run(one, Scope({})).error,
        lambda: distant.run(hundred, Scope({})).error,
    )
    return [
        _row("one read in a node", single, "ms"),
        _row(f"{READS} reads in a node", many, "ms"),
        _row(f"bare JSON-RPC batch of {READS}", bare, "ms"),
        _row(f"{READS} reads to the bare batch", many / bare, "x", "<= 1.5"),
        _row(f"{READS} reads to one, on this machine", many / single, "x"),
        _row(f"{READS} reads to one, 20 ms away", far_many / far_single, "x", "<= 3"),
    ]


class _Distant:
    """A chain whose node is elsewhere: every batch takes a round trip."""

    def __init__(self, rpc: RpcPort) -> None:
        self._rpc = rpc
        self.chain_id = rpc.chain_id

    def rpc(self, _chain_id: int) -> RpcPort:
        return self

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        time.sleep(ROUND_TRIP_SECONDS)
        return self._rpc.call(method, *params)

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        time.sleep(ROUND_TRIP_SECONDS)
        return self._rpc.batch(calls, until=until)


class _BareBatch:
    """The same calls by http.client and json alone, encoded beforehand, answers parsed."""

    def __init__(self, url: str, token: Address) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._calls = [
            {"to": token, "data": "0x" + call_data("balanceOf(address)", address_word(h)).hex()}
            for h in _HOLDERS
        ]

    def send(self) -> None:
        asked = [
            {"jsonrpc": "2.0", "id": i, "method": "eth_call", "params": [call, "latest"]}
            for i, call in enumerate(self._calls)
        ]
        body = json.dumps(asked).encode()
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answers = json.loads(self._connection.getresponse().read())
        if len(answers) != READS or any("error" in answer for answer in answers):
            raise RuntimeError("the measured batch failed")


def _node(token: Address, reads: int) -> PlanNode:
    calls: list[JsonValue] = [
        {"methodName": "balanceOf", "methodParams": [holder]} for holder in _HOLDERS[:reads]
    ]
    config: dict[str, JsonValue] = {
        "contractAddress": token,
        "contractAbi": load_artifact("TestToken")["abi"],
        "methodCalls": calls,
        "chainId": CHAIN_ID,
    }
    return PlanNode("n", "n", NodeType.CONTRACT_READ, config, 1)


def _medians(*works: Callable[[], object]) -> list[float]:
    times: list[list[float]] = [[] for _ in works]
    for turn in range(WARM_UP + ROUNDS):
        for place, work in enumerate(works):
            started = time.perf_counter()
            failed = work()
            if failed is not None:
                raise RuntimeError(f"the measured work failed: {failed}")
            if turn >= WARM_UP:
                times[place].append((time.perf_counter() - started) * 1000)
    return [statistics.median(taken) for taken in times]


def _row(name: str, value: float, unit: str, target: str = "") -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "target": target}
