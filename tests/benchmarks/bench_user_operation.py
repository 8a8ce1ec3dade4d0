"""What a UserOperation costs of our own time: everything but the node's and the key's answers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from task_engine.evm import encoding
from task_engine.evm.address import Address
from task_engine.evm.entry_point import ENTRY_POINTS, nonce_of
from task_engine.evm.estimate import SelfEstimator
from task_engine.evm.failures import RpcError
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.senders.self_bundler import SelfBundler
from task_engine.evm.signer import KmsSigner, LocalSigner
from task_engine.evm.user_operation import UserOperation
from task_engine.evm.wallets.provider import TxCall
from task_engine.evm.wallets.session_account import SessionAccountProvider
from task_engine.model.grant import Grant, Permission
from task_engine.model.json_value import JsonValue

from tests.fakes.keys import FakeKeys

ROUNDS = 300
CHAIN_ID = 11155111
TOKEN, TO = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
OWNER = LocalSigner("0x" + "0a" * 32)
POINT = ENTRY_POINTS["0.7"]
_RICH = hex(10**20)
_ANSWERS: dict[str, JsonValue] = {
    "eth_getBlockByNumber": {"number": "0x10", "baseFeePerGas": hex(10**9)},
    "eth_maxPriorityFeePerGas": hex(10**9),
    "eth_getBalance": _RICH,
    "eth_getTransactionCount": "0x1",
    "eth_call": "0x" + "00" * 32,
    "eth_sendRawTransaction": "0x" + "ab" * 32,
    "eth_simulateV1": [{"calls": [{"status": "0x1", "gasUsed": hex(90_000)}] * 2}],
}


class InstantNode:
    """Implements RpcPort; has the answers ready."""

    chain_id = CHAIN_ID

    def call(self, method: str, *params: JsonValue) -> JsonValue:
        return _ANSWERS[method]

    def batch(
        self, calls: Sequence[tuple[str, list[JsonValue]]], *, until: float | None = None
    ) -> list[JsonValue | RpcError]:
        return [_ANSWERS[method] for method, _ in calls]


class FreeLease:
    """Implements KeyLease; nobody else is there."""

    def hold(self, name: str, seconds: int) -> AbstractContextManager[None]:
        return nullcontext()


def granted(provider: SessionAccountProvider, controller: Address) -> Grant:
    """With three permissions."""
    wallet = provider.address(OWNER.address, 0) or TO
    permission = Permission(TOKEN, "0xa9059cbb")
    grant = Grant(
        id="0x" + "01" * 32,
        owner=OWNER.address,
        wallet=wallet,
        chain_id=CHAIN_ID,
        entity_id=1,
        signer=controller,
        valid_after=0,
        valid_until=2**40,
        permissions=(permission,) * 3,
    )
    signature = OWNER.sign(provider.grant_digest(grant))
    return replace(grant, signature="0x" + signature.hex())


def ignore(record: SentRecord) -> None:
    """Storage is not measured."""


def run() -> list[dict[str, object]]:
    """Medians in ms."""
    node, provider = InstantNode(), SessionAccountProvider("0.7")
    # A key service answers what a real one does; of its time only the fake's own counts.
    signer = KmsSigner(FakeKeys("0x" + "4c" * 32, high=True), "key")
    grant = granted(provider, signer.address)
    estimator = SelfEstimator(node, POINT)
    transfer = bytes.fromhex("a9059cbb") + encoding.address(TO) + encoding.number(5)
    prepared, sent = [], []
    for number in range(ROUNDS):
        started = time.perf_counter()
        draft = UserOperation(
            sender=Address(grant.wallet),
            nonce=nonce_of(provider.nonce_key(f"execution#node#{number}", grant)),
            call_data=provider.encode([TxCall(TOKEN, 0, transfer)], grant),
            signature=provider.dummy_signature(grant),
        )
        estimated = estimator.estimate(draft)
        signature = provider.sign(estimated.hash(POINT, CHAIN_ID), signer, grant)
        op = replace(estimated, signature=signature)
        half = time.perf_counter()
        SelfBundler(node, POINT, signer, FreeLease()).send(op, None, ignore)
        prepared.append(half - started)
        sent.append(time.perf_counter() - half)
    return [
        {
            "name": "a UserOperation: encode, estimate, sign (no RPC, no KMS)",
            "value": round(statistics.median(prepared) * 1000, 3),
            "unit": "ms",
            "target": "<= 5",
        },
        {
            "name": "its transaction: build, sign, hand over (no RPC, no KMS)",
            "value": round(statistics.median(sent) * 1000, 3),
            "unit": "ms",
        },
    ]
