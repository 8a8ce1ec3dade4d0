"""Operations that became void before they were on chain: made anew, and still done once."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from task_engine.evm.senders.failures import OperationRefused
from task_engine.evm.senders.ports import Outcome, Save, Sender
from task_engine.evm.senders.record import SentRecord
from task_engine.evm.user_operation import UserOperation
from task_engine.model.operation import Operation, OperationStatus

from tests.chain.rig import Rig
from tests.chain.senders.world import Died
from tests.chain.writing.test_exactly_once import MortalOperations
from tests.chain.writing.world import WriteWorld, call, counter_grant
from tests.fakes.wallets import FakeOperations

WRITE = {"methodCalls": [call("increment")]}
HOUR = 3600


@pytest.fixture
def sponsored(rig: Rig) -> WriteWorld:
    """A wallet with nothing, for whose gas somebody else pays."""
    world = WriteWorld(rig, sponsored=True)
    counter_grant(world, "increment()")
    return world


def prepared_only(world: WriteWorld) -> None:
    """The process dies between storing what it will send and sending it."""
    world.operations = MortalOperations(1, after=True, error=Died())
    with pytest.raises(Died):
        world.write(**WRITE)


def stored(world: WriteWorld) -> Operation:
    (operation,) = world.operations.rows.values()
    return operation


def test_a_sponsorship_that_ran_out_before_sending_is_asked_for_again(
    sponsored: WriteWorld,
) -> None:
    # Given an operation whose sponsorship is over by the time that somebody goes on with it
    sponsored.sponsor_seconds = -2 * HOUR
    prepared_only(sponsored)
    first = stored(sponsored)
    sponsored.sponsor_seconds = 0
    # When the node is run again
    outcome = sponsored.write(**WRITE)
    # Then it was made anew with the same nonce, and done once
    assert outcome.error is None
    operation = stored(sponsored)
    assert operation.hash != first.hash
    assert operation.user_op["nonce"] == first.user_op["nonce"]
    assert operation.created_at == first.created_at
    assert [each.user_op for each in operation.former] == [first.user_op]
    assert (sponsored.counted(), sponsored.events()) == (1, 1)


def test_a_sponsorship_that_ran_out_while_it_waited_is_asked_for_again(
    sponsored: WriteWorld, rig: Rig
) -> None:
    # Given an operation in a transaction that the pool has lost while its nonce went elsewhere
    rig.later(1)
    sponsored.sponsor_seconds = rig.ahead() - HOUR + 20
    rig.node.call("evm_setAutomine", False)
    try:
        assert sponsored.write(**WRITE).wait_seconds > 0
        (attempt,) = SentRecord.from_json(dict(stored(sponsored).sent)).attempts
        rig.node.call("anvil_dropTransaction", attempt.hash)
    finally:
        rig.node.call("evm_setAutomine", True)
    rig.send_as(sponsored.bundler, sponsored.bundler.address, b"")
    rig.later(40)
    sponsored.sponsor_seconds = rig.ahead()
    # When the node is run again
    for _ in range(5):
        outcome = sponsored.write(**WRITE)
        if not outcome.wait_seconds:
            break
    # Then it was made anew, and done once
    assert (outcome.error, outcome.wait_seconds) == (None, 0)
    assert len(stored(sponsored).former) == 1
    assert (sponsored.counted(), sponsored.events()) == (1, 1)


def prepared_under_a_policy_that_is_over(world: WriteWorld) -> None:
    grant = counter_grant(world, "increment()")
    soon = max(world.rig.now(), int(time.time())) + 20
    world.give(*grant.permissions, valid_until=soon)
    prepared_only(world)
    world.rig.later(40)


def test_a_policy_that_ran_out_gives_way_to_the_next(world: WriteWorld) -> None:
    prepared_under_a_policy_that_is_over(world)
    # When the owner has given another one
    counter_grant(world, "increment()")
    outcome = world.write(**WRITE)
    # Then the operation is made under that
    assert outcome.error is None
    assert (world.counted(), world.events()) == (1, 1)


def test_without_another_policy_the_reason_is_told(world: WriteWorld) -> None:
    prepared_under_a_policy_that_is_over(world)
    world.grant = None
    outcome = world.write(**WRITE)
    assert outcome.error is not None
    assert outcome.error.code == "SESSION_POLICY_REQUIRED"
    assert world.events() == 0


def test_it_is_made_anew_three_times_at_most(sponsored: WriteWorld) -> None:
    sponsored.sponsor_seconds = -2 * HOUR
    outcome = sponsored.write(**WRITE)
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.retryable) == ("INSUFFICIENT_CREDIT", True)
    assert len(stored(sponsored).former) == 3
    assert sponsored.events() == 0


class _Wrong:
    """Says of the first operation that it was dropped, although it was sent."""

    def __init__(self, real: Sender, told: list[str]) -> None:
        self._real = real
        self._told = told

    def look(self, op: UserOperation, record: SentRecord) -> Outcome:
        return self._real.look(op, record)

    def send(self, op: UserOperation, record: SentRecord | None, save: Save) -> Outcome:
        outcome = self._real.send(op, record, save)
        if self._told:
            return outcome
        self._told.append("dropped")
        refused = OperationRefused("AA32 paymaster expired")
        return replace(outcome, status=OperationStatus.DROPPED, error=refused)


def test_what_was_given_up_and_took_effect_is_what_the_step_tells(world: WriteWorld) -> None:
    # Given a sender that gives up an operation which is mined all the same
    counter_grant(world, "increment()")
    told: list[str] = []
    world.sending = lambda sender: _Wrong(sender, told)
    # When the node is run
    outcome = world.write(**WRITE)
    # Then there is one operation, and the step has its receipt
    assert outcome.error is None
    assert isinstance(outcome.metadata, list)
    operation = stored(world)
    assert operation.status is OperationStatus.CONFIRMED
    assert outcome.metadata[0]["receipt"]["userOpHash"] == operation.hash
    assert (world.counted(), world.events()) == (1, 1)


class Overtaken(FakeOperations):
    """Another process puts its own operation there just before the first is saved as sent."""

    def save(self, operation: Operation) -> Operation:
        self.rows[operation.id] = replace(self.rows[operation.id], hash="0x" + "ab" * 32)
        return super().save(operation)


def test_who_was_overtaken_sends_nothing(world: WriteWorld) -> None:
    # Given a process that still holds what another has made anew meanwhile
    counter_grant(world, "increment()")
    world.operations = Overtaken()
    # When it comes to send it
    outcome = world.write(**WRITE)
    # Then it does not, and comes back for the other one
    assert (outcome.error, world.events()) == (None, 0)
    assert outcome.wait_seconds > 0
