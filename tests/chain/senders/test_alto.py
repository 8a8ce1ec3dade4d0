"""The same with a bundler of others: alto, a process of its own, installed apart.

Opt-in, since the installation takes a minute: `npm install --ignore-scripts --prefix DIR
@pimlico/alto@0.0.20`, then `TASK_ENGINE_ALTO=DIR make test ARGS=tests/chain/senders/test_alto.py`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from task_engine.evm.address import Address
from task_engine.evm.bundler_estimate import BundlerEstimator
from task_engine.evm.entry_point import ENTRY_POINTS
from task_engine.evm.failures import RpcError
from task_engine.evm.rpc import Rpc
from task_engine.evm.senders.failures import CallWouldRevert, OperationRefused
from task_engine.evm.senders.http_bundler import HttpBundler
from task_engine.evm.senders.ports import Outcome
from task_engine.evm.signer import LocalSigner
from task_engine.model.chain import Chain
from task_engine.model.operation import OperationStatus

from infra_cdk.local.process import ProcessId, spawn
from infra_cdk.local.settings import LOOPBACK, free_port
from infra_cdk.local.waiting import wait_until
from tests.chain.senders.world import CHAIN_ID, ETHER, ChainWorld, Kept, Wallet, selector

ALTO = "node_modules/@pimlico/alto/esm/cli/alto.js"
KEYS = ("0x" + "a1" * 32, "0x" + "a2" * 32)


def bundler_rpc(url: str) -> Rpc:
    return Rpc(Chain(CHAIN_ID, (url,)), check_chain=False, timeout_seconds=20)


@pytest.fixture(scope="module")
def alto(sending_chain: str) -> Iterator[str]:
    """Its URL."""
    world = ChainWorld(sending_chain)
    for key in KEYS:
        world.node.call("anvil_setBalance", LocalSigner(key).address, hex(100 * ETHER))
    points = ",".join(point.address for point in ENTRY_POINTS.values())
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    script = Path(os.environ["TASK_ENGINE_ALTO"]) / ALTO
    command = f"node {script} --entrypoints {points} --executor-private-keys {KEYS[0]}"
    command += f" --utility-private-key {KEYS[1]} --rpc-url {sending_chain} --port {port}"
    command += " --safe-mode false --min-executor-balance 1 --log-level warn"
    command += " --max-bundle-interval 200"
    with tempfile.TemporaryDirectory(prefix="task-engine-") as place:
        child = spawn(command.split(), {"PATH": os.environ["PATH"]}, Path(place) / "alto.log")
        process = ProcessId.of(child.pid)
        try:
            rpc = Rpc(Chain(CHAIN_ID, (url,)), sleep=lambda _: None, check_chain=False)
            wait_until(lambda: _answers(rpc), "alto", timeout_seconds=60)
            yield url
        finally:
            process.stop()


def _answers(rpc: Rpc) -> bool:
    try:
        return bool(rpc.call("eth_supportedEntryPoints"))
    except RpcError:
        return False


def carry(world: ChainWorld, alto: str, wallet: Wallet, to: Address, data: bytes) -> Outcome:
    """Estimate, sign, send; the outcome."""
    bundler, kept = bundler_rpc(alto), Kept()
    estimator = BundlerEstimator(world.rpc, bundler, world.entry_point)
    op = world.signed(wallet, estimator.estimate(world.draft(wallet, to, data)))
    sender = HttpBundler(world.rpc, bundler, world.entry_point)
    assert sender.send(op, None, kept.save).status is OperationStatus.SENT
    record = kept.record
    assert record is not None
    assert sender.send(op, record, kept.save).status in (
        OperationStatus.SENT,
        OperationStatus.CONFIRMED,
    )
    wait_until(lambda: sender.look(op, record).status.final, "a receipt", timeout_seconds=20)
    return sender.send(op, record, kept.save)


@pytest.mark.parametrize("version", ["0.7", "0.8"])
def test_operations_are_carried(
    world: ChainWorld, alto: str, counter: Address, version: str
) -> None:
    world.version = version
    wallet = world.wallet()
    for count in (1, 2):
        done = carry(world, alto, wallet, counter, selector("increment()"))
        assert done.status is OperationStatus.CONFIRMED
        assert done.receipt is not None
        assert [log["address"] for log in done.receipt.logs] == [counter.lower()]
        assert world.count_of(counter, wallet) == len(world.events(wallet)) == count


def test_what_it_refuses_is_told_in_words(world: ChainWorld, alto: str, counter: Address) -> None:
    bundler = bundler_rpc(alto)
    wallet = world.wallet()
    estimator = BundlerEstimator(world.rpc, bundler, world.entry_point)
    draft = world.draft(wallet, counter, selector("increment()"))
    op = world.signed(world.wallet(), estimator.estimate(draft))
    with pytest.raises(OperationRefused) as caught:
        HttpBundler(world.rpc, bundler, world.entry_point).send(op, None, Kept().save)
    assert caught.value.aa == "AA24"
    reverting = world.draft(wallet, counter, selector("refuseWithText()"))
    with pytest.raises(CallWouldRevert) as reverted:
        estimator.estimate(reverting)
    assert b"not today" in reverted.value.data
