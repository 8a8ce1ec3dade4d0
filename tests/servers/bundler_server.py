"""A bundler service for tests: it carries operations to a real chain, or does not, as told."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from task_engine.evm.address import Address
from task_engine.evm.entry_point import ENTRY_POINTS, EntryPoint
from task_engine.evm.user_operation import UserOperation

from infra_cdk.local.contracts import DevelopmentNode
from infra_cdk.local.servers.loopback import Handler, LoopbackServer
from infra_cdk.local.waiting import StageError


class Refusal(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Endpoint(Handler["BundlerServer"]):
    def handle_request(self) -> None:
        asked = json.loads(self.body())
        batch = asked if isinstance(asked, list) else [asked]
        answers = [self.owner.answer(one) for one in batch]
        self.answer_json(answers if isinstance(asked, list) else answers[0])

    do_POST = handle_request  # noqa: N815 - the base class calls it by this name


class BundlerServer(LoopbackServer):
    """Operations wait in `pool` while `holding`; receipts are told only when `telling`.

    `refusals` are answered to eth_sendUserOperation, one after the other, before any is taken.
    `asked` counts methods.
    """

    handler = _Endpoint

    def __init__(self, node_url: str, chain_id: int, version: str = "0.7", port: int = 0) -> None:
        super().__init__(port)
        self.node = DevelopmentNode(node_url)
        self.chain_id = chain_id
        self.entry_point: EntryPoint = ENTRY_POINTS[version]
        self.holding = False
        self.telling = True
        self.lying = False
        self.refusals: list[Refusal] = []
        self.asked: Counter[str] = Counter()
        self.pool: dict[str, UserOperation] = {}
        self.sent: dict[str, str] = {}
        self._lock = threading.Lock()
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_sendUserOperation": self._send,
            "eth_getUserOperationByHash": self._by_hash,
            "eth_getUserOperationReceipt": self._receipt,
            "eth_estimateUserOperationGas": self._estimate,
            "pimlico_getUserOperationGasPrice": self._price,
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """To one JSON-RPC request."""
        base = {"jsonrpc": "2.0", "id": request["id"]}
        self.asked[request["method"]] += 1
        method = self._methods.get(request["method"])
        if method is None:
            return base | {"error": {"code": -32601, "message": "method not found"}}
        try:
            with self._lock:
                return base | {"result": method(*request.get("params", []))}
        except Refusal as refusal:
            return base | {"error": {"code": refusal.code, "message": str(refusal)}}

    def release(self) -> None:
        """Carry to the chain what waits."""
        for op_hash, op in list(self.pool.items()):
            self._carry(op_hash, op)

    def forget(self) -> None:
        """Lose what waits, as after a restart."""
        self.pool.clear()

    def _send(self, wire: dict[str, Any], _point: str) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        op = UserOperation.from_wire(wire)
        op_hash = "0x" + op.hash(self.entry_point, self.chain_id).hex()
        if op_hash in self.pool:
            raise Refusal(-32602, "Already known")
        if self._nonce_used(op):
            raise Refusal(-32500, "UserOperation reverted with reason: AA25 invalid account nonce")
        self.pool[op_hash] = op
        if not self.holding:
            self._carry(op_hash, op)
        return op_hash

    def _carry(self, op_hash: str, op: UserOperation) -> None:
        own = Address(self.node.call("eth_accounts")[5])
        data = self.entry_point.handle_ops_data([op], own)
        transaction = {"from": own, "to": self.entry_point.address, "data": "0x" + data.hex()}
        try:
            self.sent[op_hash] = self.node.call("eth_sendTransaction", transaction)
        except StageError as error:
            raise Refusal(-32500, f"UserOperation reverted: {error}") from error
        self.pool.pop(op_hash, None)

    def _nonce_used(self, op: UserOperation) -> bool:
        data = "0x" + self.entry_point.nonce_data(op.sender, op.nonce >> 64).hex()
        call = {"to": self.entry_point.address, "data": data}
        return int(self.node.call("eth_call", call, "latest"), 16) > op.nonce

    def _by_hash(self, op_hash: str) -> dict[str, Any] | None:
        known = op_hash in self.pool or op_hash in self.sent
        return {"entryPoint": self.entry_point.address} if known else None

    def _receipt(self, op_hash: str) -> dict[str, Any] | None:
        if self.lying:
            return {"receipt": {"transactionHash": "0x" + "ab" * 32}, "success": True}
        if not self.telling or op_hash not in self.sent:
            return None
        receipt = self.node.call("eth_getTransactionReceipt", self.sent[op_hash])
        return None if receipt is None else {"userOpHash": op_hash, "receipt": receipt}

    def _estimate(self, wire: dict[str, Any], _point: str) -> dict[str, str]:
        if self.refusals:
            raise self.refusals.pop(0)
        verification = 400_000 if "factory" in wire else 120_000
        return {
            "preVerificationGas": hex(60_000),
            "verificationGasLimit": hex(verification),
            "callGasLimit": hex(150_000),
        }

    def _price(self) -> dict[str, dict[str, str]]:
        price = {"maxFeePerGas": hex(3 * 10**9), "maxPriorityFeePerGas": hex(2 * 10**9)}
        return {"slow": price, "standard": price, "fast": price}
