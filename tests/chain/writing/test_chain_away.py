"""A chain that is away before an operation was prepared: the node goes on later, not for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from task_engine.clock import SystemClock
from task_engine.evm.address import Address
from task_engine.evm.senders.failures import OperationRefused
from task_engine.evm.senders.ports import Outcome as Sent
from task_engine.evm.senders.ports import Save, Sender
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.user_operation import UserOperation
from task_engine.model.execution import Outcome
from task_engine.model.grant import NATIVE_TRANSFER, Permission
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.operation import OperationStatus
from task_engine.model.plan import PlanNode
from task_engine.processors.contract_write import ContractWriteProcessor
from task_engine.processors.loop import LoopProcessor

from infra_cdk.local.contracts import load_artifact
from tests.chain.rig import ETHER, Rig
from tests.chain.writing.world import SELECTORS, WriteWorld, call
from tests.fakes.clock import FakeClock
from tests.servers.rpc_gate import RpcGate

PAYEE = Address("0x00000000000000000000000000000000000000Ab")
_FIVE_MINUTES_MS = 300_000

Work = Callable[[WriteWorld], Outcome]


def write(world: WriteWorld) -> Outcome:
    return world.write(methodCalls=[call("increment")])


def transfer(world: WriteWorld) -> Outcome:
    return world.transfer(destination=PAYEE, amount="1000")


def transfer_all(world: WriteWorld) -> Outcome:
    return world.transfer(destination=PAYEE, amount="MAX")


@pytest.fixture
def gate(rig: Rig) -> Iterator[RpcGate]:
    with RpcGate(rig.url) as server:
        yield server


@pytest.fixture
def away(rig: Rig, gate: RpcGate) -> WriteWorld:
    """An owner with a grant for everything here, on a chain that answers nobody."""
    clock = FakeClock(SystemClock().now_ms())
    world = WriteWorld(rig, sponsored=True, url=gate.url, clock=clock)
    rig.fund(Address(world.wallet.address), 12_345)
    increment = Permission(Address(rig.counter), SELECTORS["increment()"], 0)
    world.give(increment, Permission(PAYEE, NATIVE_TRANSFER, ETHER))
    gate.close()
    return world


@pytest.mark.parametrize("work", [write, transfer, transfer_all])
def test_a_chain_that_comes_back_gets_the_operation_once(
    away: WriteWorld, gate: RpcGate, work: Work
) -> None:
    # Given a chain that is away for two looks
    for _ in range(2):
        outcome = work(away)
        assert outcome.wait_seconds > 0
        assert away.operations.rows == {}
    # When it is back
    gate.open()
    outcome = work(away)
    # Then it was done, once
    assert (outcome.error, outcome.wait_seconds) == (None, 0)
    assert away.events() == 1


@pytest.mark.parametrize("work", [write, transfer, transfer_all])
def test_a_chain_that_stays_away_fails_the_step_which_sent_nothing(
    away: WriteWorld, work: Work
) -> None:
    # Given a step that was tried first five minutes ago
    assert isinstance(away.clock, FakeClock)
    assert work(away).wait_seconds > 0
    away.clock.forward(_FIVE_MINUTES_MS - 1)
    assert work(away).wait_seconds > 0
    # When it is tried again
    away.clock.forward(1)
    outcome = work(away)
    # Then it ends, and says that it may be tried anew
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retryable) == ("RPC_NODE_ERROR", True)
    assert "can't be asked" in outcome.error.message
    assert "tried for 5 minutes, nothing was sent" in outcome.error.message
    assert (outcome.wait_seconds, away.operations.rows, away.events()) == (0, {}, 0)


def test_waits_become_longer(away: WriteWorld) -> None:
    assert isinstance(away.clock, FakeClock)
    first = write(away).wait_seconds
    away.clock.forward(100_000)
    assert 1 <= first < write(away).wait_seconds <= 15


def test_whoever_does_not_come_back_is_told_at_once(away: WriteWorld) -> None:
    scope = away.scope()
    assert scope.origin is not None
    at_once = replace(scope, origin=replace(scope.origin, task_id=""))
    outcome = away.write(methodCalls=[call("increment")], scope=at_once)
    assert outcome.error is not None
    assert (outcome.error.code, outcome.wait_seconds) == ("RPC_NODE_ERROR", 0)
    assert away.delays.rows == {}


def test_a_transfer_of_everything_that_is_mined_while_nobody_looks_is_told(rig: Rig) -> None:
    # Given a transfer of all that a wallet holds, which is not in a block yet
    world = WriteWorld(rig, sponsored=True)
    rig.fund(Address(world.wallet.address), 12_345)
    world.give(Permission(PAYEE, NATIVE_TRANSFER, ETHER))
    rig.node.call("evm_setAutomine", False)
    try:
        assert transfer_all(world).wait_seconds > 0
    finally:
        rig.node.call("anvil_mine", "0x1")
        rig.node.call("evm_setAutomine", True)
    assert rig.balance(Address(world.wallet.address)) == 0
    # When the node is run again
    outcome = transfer_all(world)
    # Then it tells what it did, and not that the wallet is empty
    assert outcome.error is None
    sent = {"from": world.wallet.address, "to": PAYEE, "value": "12345"}
    assert outcome.data == {"transfer": sent}


def test_a_loop_whose_chain_is_away_goes_on_with_the_same_item(
    away: WriteWorld, gate: RpcGate
) -> None:
    # Given a loop of two writes on a chain that is away
    config: dict[str, JsonValue] = {
        "contractAddress": away.rig.counter,
        "contractAbi": load_artifact("Counter")["abi"],
        "chainId": away.rig.chain_id,
        "methodCalls": [call("increment")],
    }
    runner: JsonValue = {"type": "contractWrite", "config": config}
    loop: dict[str, JsonValue] = {"inputVariable": "{{given.data}}", "runner": runner}
    node = PlanNode("l", "l", NodeType.LOOP, loop, 1)
    processor = LoopProcessor(
        {NodeType.CONTRACT_WRITE: lambda: ContractWriteProcessor(away.ports())}
    )
    scope = away.scope(given={"data": [1, 2]})
    items, wait = processor.run_chunk(node, scope, 0, [])
    assert items == []
    assert wait > 0
    # When it is back
    gate.open()
    items, wait = processor.run_chunk(node, scope, 0, items)
    # Then each item was done once
    assert wait == 0
    assert [item["ok"] for item in items if isinstance(item, dict)] == [True, True]
    assert away.counted() == 2


class _Refusing:
    """Refuses what it is given first, or drops it after it was sent, however often it is asked."""

    def __init__(self, real: Sender, refused: list[UserOperation], *, dropping: bool) -> None:
        self._real = real
        self._refused = refused
        self._dropping = dropping

    def look(self, op: UserOperation, record: SentRecord) -> Sent:
        return self._real.look(op, record)

    def send(self, op: UserOperation, record: SentRecord | None, save: Save) -> Sent:
        self._refused[:] = self._refused or [op]
        if op not in self._refused:
            return self._real.send(op, record, save)
        refusal = OperationRefused("AA32 paymaster expired")
        if not self._dropping:
            raise refusal
        sent = record or SentRecord("0x", 1)
        save(sent)
        return Sent(OperationStatus.DROPPED, sent, error=refusal)


@pytest.fixture(params=["refused", "dropped"])
def void(away: WriteWorld, gate: RpcGate, request: pytest.FixtureRequest) -> WriteWorld:
    """One whose first operation is void, as is told when the chain has just gone away."""
    refused: list[UserOperation] = []
    dropping = request.param == "dropped"

    def sending(sender: Sender) -> Sender:
        if away.operations.rows and not refused:
            gate.close()
        return _Refusing(sender, refused, dropping=dropping)

    away.sending = sending
    gate.open()
    return away


def test_what_became_void_is_made_anew_when_the_chain_is_back(
    void: WriteWorld, gate: RpcGate
) -> None:
    # Given an operation that can't be made anew because the chain is away
    for _ in range(2):
        outcome = write(void)
        assert (gate.closed, outcome.error) == (True, None)
        assert outcome.wait_seconds > 0
    # When it is back
    gate.open()
    outcome = write(void)
    # Then another one took its place, and it was done once
    assert (outcome.error, outcome.wait_seconds) == (None, 0)
    [operation] = void.operations.rows.values()
    assert len(operation.former) == 1
    assert (void.counted(), void.events()) == (1, 1)


@pytest.mark.parametrize("void", ["refused"], indirect=True)
def test_what_can_not_be_made_anew_for_long_fails_the_step(void: WriteWorld) -> None:
    assert isinstance(void.clock, FakeClock)
    assert write(void).wait_seconds > 0
    void.clock.forward(_FIVE_MINUTES_MS)
    outcome = write(void)
    assert outcome.error is not None
    assert (outcome.error.code, outcome.wait_seconds, void.events()) == ("RPC_NODE_ERROR", 0, 0)
