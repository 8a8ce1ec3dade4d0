"""User operations as they are kept: found by what they are for and by their hash, never changed
once they are final; what has become void is renewed once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.aws.operation_repository import OperationRepository
from task_engine.ids import new_id
from task_engine.model.operation import (
    FormerOperation,
    Operation,
    OperationCall,
    OperationStatus,
)

from tests.integration.world import World, an_owner

OLD, NEW, NEWER = ("0x" + byte * 32 for byte in ("a1", "b2", "c3"))


@pytest.fixture
def kept(world: World) -> OperationRepository:
    return OperationRepository(world.dynamo, world.packer, world.settings)


def an_operation() -> Operation:
    """One that was prepared, with a hash that no other test uses."""
    call = OperationCall("0x" + "11" * 20, 2**200, "0xab")
    return Operation(
        id=f"{new_id()}#write#0",
        owner=an_owner(),
        chain_id=1,
        wallet="0x" + "22" * 20,
        hash=_own(OLD),
        user_op={"nonce": "0x1"},
        calls=(call,),
        created_at=5,
        updated_at=5,
    )


def _own(prefix: str) -> str:
    return prefix[:40] + new_id()


def renewed(before: Operation, user_op_hash: str, nonce: str = "0x2") -> Operation:
    """As it is prepared anew when what was prepared has become void."""
    former = FormerOperation(before.user_op, before.sent)
    return replace(
        before,
        hash=user_op_hash,
        user_op={"nonce": nonce},
        sent={},
        status=OperationStatus.PREPARED,
        updated_at=before.updated_at + 1,
        former=(*before.former, former),
    )


def test_one_that_is_made_twice_is_the_first(kept: OperationRepository) -> None:
    made = an_operation()
    assert kept.create(made) == made
    assert kept.create(replace(made, hash=_own(NEW), user_op={"nonce": "0x9"})) == made
    assert kept.get(made.id) == made
    assert kept.by_hash(made.owner, made.hash) == made
    assert kept.by_hash(an_owner(), made.hash) is None


def test_one_that_is_renewed_is_found_by_both_hashes(
    world: World, kept: OperationRepository
) -> None:
    # Given an operation that was sent
    made = kept.create(an_operation())
    sent = kept.save(replace(made, status=OperationStatus.SENT, sent={"transaction": "0x7a"}))
    world.operations()
    # When it is prepared anew
    again = renewed(sent, _own(NEW))
    assert kept.renew(sent, again) == again
    # Then by one write it is the new one, which remembers the old one
    assert world.operations() == ["TransactWriteItems"]
    assert kept.get(made.id) == again
    assert again.former == (FormerOperation({"nonce": "0x1"}, {"transaction": "0x7a"}),)
    # And both hashes lead to it
    assert kept.by_hash(made.owner, made.hash) == again
    assert kept.by_hash(made.owner, again.hash) == again


def test_of_two_that_renew_the_same_one_does(kept: OperationRepository) -> None:
    # Given two walks that have found the same operation void
    made = kept.create(an_operation())
    one, other = renewed(made, _own(NEW)), renewed(made, _own(NEWER), "0x3")
    # When both renew it
    assert kept.renew(made, one) == one
    # Then the second is told what the first has made of it, and leaves nothing behind
    assert kept.renew(made, other) == one
    assert kept.get(made.id) == one
    assert kept.by_hash(made.owner, other.hash) is None
    # And whoever still holds the old one can't say anything about it
    assert kept.save(replace(made, status=OperationStatus.DROPPED)) == one


def test_one_that_was_renewed_can_be_renewed_again(kept: OperationRepository) -> None:
    first = kept.create(an_operation())
    second = kept.renew(first, renewed(first, _own(NEW)))
    third = kept.renew(second, renewed(second, _own(NEWER), "0x3"))
    assert [kept.by_hash(first.owner, each.hash) for each in (first, second, third)] == [third] * 3
    assert len(third.former) == 2


@pytest.mark.parametrize(
    "status", [OperationStatus.CONFIRMED, OperationStatus.FAILED, OperationStatus.DROPPED]
)
def test_a_final_one_is_neither_changed_nor_renewed(
    kept: OperationRepository, status: OperationStatus
) -> None:
    made = kept.create(an_operation())
    over = kept.save(replace(made, status=status, receipt={"success": True}, updated_at=9))
    again = renewed(made, _own(NEW))
    assert kept.renew(made, again) == over
    assert kept.save(replace(over, status=OperationStatus.SENT)) == over
    assert kept.get(made.id) == over
    assert kept.by_hash(made.owner, again.hash) is None
