"""Whatever dies, whenever: one operation on chain, counted from the chain."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from task_engine.errors import Unavailable
from task_engine.model.operation import Operation, OperationStatus

from tests.chain.senders.world import Died
from tests.chain.writing.world import WriteWorld, call, counter_grant
from tests.fakes.wallets import FakeOperations

WRITE = {"methodCalls": [call("increment")]}


class MortalOperations(FakeOperations):
    """Dies around the n-th write, before or after it took effect."""

    def __init__(self, at: int, *, after: bool, error: BaseException) -> None:
        super().__init__()
        self.at = at
        self.after = after
        self.error = error
        self.writes = 0

    def create(self, operation: Operation) -> Operation:
        return self._around(lambda: super(MortalOperations, self).create(operation))

    def save(self, operation: Operation) -> Operation:
        return self._around(lambda: super(MortalOperations, self).save(operation))

    def _around(self, work: Callable[[], Operation]) -> Operation:
        self.writes += 1
        if self.writes == self.at and not self.after:
            raise self.error
        stored = work()
        if self.writes == self.at:
            raise self.error
        return stored


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("error", [Died(), Unavailable("away")], ids=["death", "fault"])
def test_a_process_that_dies_around_any_write(
    world: WriteWorld, at: int, after: bool, error: BaseException
) -> None:
    # Given a store around whose n-th write the process dies
    counter_grant(world, "increment()")
    world.operations = MortalOperations(at, after=after, error=error)
    with suppress(type(error)):
        # Who does not die is told to come back where something is stored to come back to.
        assert world.write(**WRITE).wait_seconds > 0
    assert world.operations.writes >= at
    world.leases.forget()
    # When the walker runs the node again, until it has ended
    for _ in range(5):
        outcome = world.write(**WRITE)
        if not outcome.wait_seconds:
            break
    # Then it was done once
    assert outcome.error is None
    assert (world.counted(), world.events()) == (1, 1)


def test_a_lost_receipt_is_found_in_the_chain(world: WriteWorld) -> None:
    # Given an operation that is mined while nobody looks
    counter_grant(world, "increment()")
    world.rig.node.call("evm_setAutomine", False)
    outcome = world.write(**WRITE)
    assert outcome.wait_seconds > 0
    world.rig.node.call("anvil_mine", "0x5")
    world.rig.node.call("evm_setAutomine", True)
    # When the node is run again
    outcome = world.write(**WRITE)
    # Then it finds what happened
    assert outcome.error is None
    assert (world.counted(), world.events()) == (1, 1)


def test_a_reorganised_chain_gets_the_operation_again(world: WriteWorld) -> None:
    # Given an operation in a block that the chain gives up while its receipt was not stored yet
    counter_grant(world, "increment()")
    world.write(**WRITE)
    (operation,) = world.operations.rows.values()
    pending = replace(operation, status=OperationStatus.SENT, receipt=None)
    world.operations.rows[operation.id] = pending
    world.rig.node.call("anvil_reorg", 1, [])
    assert world.events() == 0
    # When the node is run again
    for _ in range(5):
        outcome = world.write(**WRITE)
        if not outcome.wait_seconds:
            break
    # Then it is on chain, once
    assert outcome.error is None
    assert (world.counted(), world.events()) == (1, 1)


def test_what_stays_pending_is_pending_not_failed(world: WriteWorld) -> None:
    counter_grant(world, "increment()")
    world.rig.node.call("evm_setAutomine", False)
    try:
        world.write(**WRITE)
        (operation,) = world.operations.rows.values()
        world.operations.rows[operation.id] = replace(operation, created_at=1)
        # When it was waited for long enough
        outcome = world.write(**WRITE)
    finally:
        world.rig.node.call("evm_setAutomine", True)
    # Then the step ends, neither failed nor confirmed
    assert (outcome.error, outcome.wait_seconds) == (None, 0)
    assert isinstance(outcome.metadata, list)
    receipt = outcome.metadata[0]["receipt"]
    assert (receipt["executionStatus"], receipt["transactionHash"]) == ("pending", "pending")
    assert receipt["userOpHash"] == operation.hash


def test_two_walks_at_once_do_it_once(world: WriteWorld) -> None:
    # Given two writers that both found nothing and prepared
    counter_grant(world, "increment()")
    outcome = world.write(**WRITE)
    assert outcome.error is None
    # When the second one goes on with what it had prepared, from an empty store
    world.operations = FakeOperations()
    late = world.write(**WRITE)
    # Then the chain takes the operation's nonce once
    assert late.error is not None
    assert (world.counted(), world.events()) == (1, 1)
