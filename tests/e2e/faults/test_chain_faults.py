"""Chains, bundlers and processes that fail while operations are under way: one operation each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra_cdk.local.stage import LocalStage
from infra_cdk.local.waiting import wait_until
from tests.e2e.chains import CHAIN, OnChain
from tests.e2e.engine import task_of
from tests.e2e.faults.rewiring import rewired
from tests.e2e.faults.workers import kill_workers
from tests.servers.bundler_server import BundlerServer, Refusal
from tests.servers.rpc_gate import RpcGate

pytestmark = pytest.mark.deployed
_LONG = 180.0


@pytest.fixture
def owner(stage: LocalStage) -> OnChain:
    """An owner with money and a grant for the counter."""
    made = OnChain(stage)
    made.fund()
    made.grant(made.action(made.counter, "increment()"))
    return made


@pytest.fixture
def gate(owner: OnChain) -> Iterator[RpcGate]:
    """What stands between the functions and the chain's node."""
    with RpcGate(owner.url) as server, rewired(owner.stage, CHAIN, rpcUrls=[server.url]):
        yield server
        server.open()
        server.let_go()


@contextmanager
def no_blocks(owner: OnChain) -> Iterator[None]:
    """None comes unless it is asked for."""
    owner.node.call("evm_setAutomine", False)
    try:
        yield
    finally:
        owner.node.call("evm_setAutomine", True)
        owner.node.call("anvil_mine", "0x1")


def started(owner: OnChain) -> tuple[str, str]:
    """A task that reads and then writes, running."""
    call = {"methodName": "count", "methodParams": []}
    increment = {"methodName": "increment", "methodParams": []}
    nodes = [
        owner.contract("read", "contractRead", call),
        owner.contract("write", "contractWrite", increment),
    ]
    task = owner.api.create_task(task_of(nodes, [("t", "read"), ("read", "write")]))["id"]
    return task, owner.api.trigger(task, blocking=False)["executionId"]


def done_once(owner: OnChain, run: tuple[str, str]) -> Any:
    """The execution, which succeeded; the chain has one operation of it."""
    execution = owner.api.finished(*run, _LONG)
    assert execution["status"] == "success", execution
    assert [step["id"] for step in execution["steps"]] == ["t", "read", "write"]
    assert (owner.counted(), owner.operations()) == (1, 1)
    return execution


@pytest.mark.parametrize("sent", [False, True], ids=["before it is sent", "before the answer"])
def test_a_process_killed_around_the_sending(owner: OnChain, gate: RpcGate, sent: bool) -> None:
    # Given an operation that was stored and is being handed to a node
    gate.hold("eth_sendRawTransaction", answered=sent)
    run = started(owner)
    assert gate.arrived.wait(60)
    # When the process dies
    assert kill_workers(owner.stage, "node-contract-write") >= 1
    gate.let_go()
    # Then another one goes on with that very operation
    done_once(owner, run)


def test_a_process_killed_before_the_receipt(owner: OnChain, gate: RpcGate) -> None:
    with no_blocks(owner):
        run = started(owner)
        wait_until(lambda: gate.asked["eth_getTransactionReceipt"] > 0, "a look", 60)
        kill_workers(owner.stage, "node-contract-write")
        owner.node.call("anvil_mine", "0x1")
        done_once(owner, run)


def test_a_node_that_is_down_for_a_while(owner: OnChain, gate: RpcGate) -> None:
    # Given a node that hangs up on everybody
    gate.close()
    run = started(owner)
    wait_until(lambda: gate.refused >= 2, "calls in vain", 60)
    # When it is back
    gate.open()
    # Then nobody has to do anything
    done_once(owner, run)


def test_a_node_that_goes_down_while_a_receipt_is_awaited(owner: OnChain, gate: RpcGate) -> None:
    with no_blocks(owner):
        run = started(owner)
        wait_until(lambda: gate.asked["eth_sendRawTransaction"] > 0, "the sending", 60)
        before = gate.refused
        gate.close()
        owner.node.call("anvil_mine", "0x1")
        wait_until(lambda: gate.refused > before, "a look in vain", 60)
        gate.open()
        done_once(owner, run)


def test_a_block_that_the_chain_gives_up(owner: OnChain) -> None:
    # Given an operation in a block, where two more are wanted above it
    with rewired(owner.stage, CHAIN, rpcUrls=[owner.url], confirmations=2):
        run = started(owner)
        wait_until(lambda: owner.operations() == 1, "the operation on chain", 60)
        # When the chain takes another way
        owner.node.call("anvil_reorg", 1, [])
        assert owner.operations() == 0

        # Then it is on the new one in the end, once
        def again() -> bool:
            owner.node.call("anvil_mine", "0x1")
            return owner.operations() == 1

        wait_until(again, "the operation on the new chain", _LONG, 0.5)
        owner.node.call("anvil_mine", "0x3")
        done_once(owner, run)


def test_a_bundler_service_that_is_down_for_a_while(owner: OnChain) -> None:
    with (
        BundlerServer(owner.url, CHAIN) as bundler,
        RpcGate(bundler.url) as gate,
        rewired(owner.stage, CHAIN, rpcUrls=[owner.url], bundlerUrl=gate.url),
    ):
        gate.close()
        run = started(owner)
        wait_until(lambda: gate.refused >= 1, "calls in vain", 60)
        gate.open()
        done_once(owner, run)
        assert bundler.asked["eth_sendUserOperation"] == 1


def test_a_bundler_service_that_refuses_a_nonce_at_first(owner: OnChain) -> None:
    aa25 = Refusal(-32500, "UserOperation reverted with reason: AA25 invalid account nonce")
    with (
        BundlerServer(owner.url, CHAIN) as bundler,
        rewired(owner.stage, CHAIN, rpcUrls=[owner.url], bundlerUrl=bundler.url),
    ):
        bundler.refusals.append(aa25)
        done_once(owner, started(owner))
