"""Kept replies: one maker a name, the same reply for everybody after, gone when their time is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from task_engine.aws.reply_repository import ReplyRepository
from task_engine.errors import Conflict
from task_engine.ids import new_id
from task_engine.model.json_value import JsonValue
from task_engine.services.replies import Kept, Made, OncePerKey, reply_name

from infra_cdk.local.aws import LocalAws
from tests.fakes.clock import START_MS
from tests.integration.lossy import lossy_way
from tests.integration.world import World, an_owner

LEASE = 28
TTL = 900


@pytest.fixture
def replies(world: World) -> ReplyRepository:
    return ReplyRepository(world.dynamo, world.packer, world.settings)


def a_name() -> str:
    """Of an owner and a key that no other test uses."""
    return reply_name("node", an_owner(), new_id())


def test_the_first_makes_it_and_later_ones_get_it(replies: ReplyRepository, world: World) -> None:
    # Given
    name, reply = a_name(), {"success": True, "output": {"data": [1, 2.5, None, "ü"]}}
    assert replies.find(name, START_MS) is None
    # When
    assert replies.begin(name, "f", LEASE, START_MS).mine
    assert replies.begin(name, "f", LEASE, START_MS) == Kept(mine=False, fingerprint="f")
    replies.keep(name, reply, TTL, START_MS)
    world.operations()
    # Then
    assert replies.begin(name, "f", LEASE, START_MS) == Kept(False, "f", reply, done=True)
    assert replies.find(name, START_MS) == Kept(False, "f", reply, done=True)
    assert world.operations() == ["UpdateItem", "GetItem"]


def test_of_many_at_once_one_makes_it(world: World) -> None:
    name = a_name()

    def begin(_: int) -> bool:
        store = ReplyRepository(world.dynamo, world.packer, world.settings)
        return store.begin(name, "f", LEASE, START_MS).mine

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(begin, range(16))) == 1


def test_a_maker_that_died_is_followed_by_another(replies: ReplyRepository) -> None:
    # Given a call that never ended
    name = a_name()
    assert replies.begin(name, "first", LEASE, START_MS).mine
    # When its lease is over, then the next one makes it, for its own request
    assert not replies.begin(name, "next", LEASE, START_MS + LEASE * 1000).mine
    assert replies.begin(name, "next", LEASE, START_MS + (LEASE + 1) * 1000).mine
    found = replies.find(name, START_MS + (LEASE + 1) * 1000)
    assert found == Kept(mine=False, fingerprint="next")


def test_what_is_past_its_time_is_gone(replies: ReplyRepository) -> None:
    # Given
    name = a_name()
    replies.begin(name, "f", LEASE, START_MS)
    replies.keep(name, "old", TTL, START_MS)
    # When
    later = START_MS + (TTL + 1) * 1000
    # Then nothing of it comes back, not even while a new one is being made
    assert replies.find(name, later) is None
    assert replies.begin(name, "f", LEASE, later).mine
    assert replies.begin(name, "f", LEASE, later) == Kept(mine=False, fingerprint="f")


def test_what_was_given_up_can_be_made_again(replies: ReplyRepository) -> None:
    name = a_name()
    replies.begin(name, "f", LEASE, START_MS)
    replies.forget(name)
    replies.forget(name)
    assert replies.find(name, START_MS) is None
    assert replies.begin(name, "g", LEASE, START_MS).mine


def test_a_large_reply_is_kept_as_a_blob(replies: ReplyRepository, world: World) -> None:
    # Given a reply that no item could hold
    name = a_name()
    large: JsonValue = {"data": [f"{n * 7919:x}" for n in range(4000)]}
    replies.begin(name, "f", LEASE, START_MS)
    # When
    replies.keep(name, large, TTL, START_MS)
    # Then
    found = replies.find(name, START_MS)
    assert found is not None
    assert found.reply == large
    assert any(key.startswith(f"replies/{name.replace('#', '/')}") for key in world.blobs())


def test_its_maker_knows_itself_when_the_answer_was_lost(
    world: World, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a write whose answer is lost on the way
    with lossy_way(aws.endpoint) as way:
        monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
        way.lose = ["UpdateItem"]
        store = ReplyRepository(world.dynamo, world.packer, world.settings)
        # When it is sent again
        kept = store.begin(a_name(), "f", LEASE, START_MS)
    # Then it finds its own name
    assert kept.mine
    assert way.made == ["UpdateItem", "UpdateItem"]


def test_calls_with_one_key_make_one_reply(world: World) -> None:
    # Given eight callers with the same key
    made: list[int] = []
    name = a_name()

    def make() -> Made:
        made.append(1)
        return Made({"n": len(made)})

    def call(_: int) -> JsonValue:
        store = ReplyRepository(world.dynamo, world.packer, world.settings)
        once = OncePerKey(store, world.clock, lambda _: None)
        return once.reply(name, "f", TTL, make)

    # When
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(call, range(8)))
    # Then
    assert seen == [{"n": 1}] * 8
    assert len(made) == 1
    # And another request under that key is refused
    once = OncePerKey(
        ReplyRepository(world.dynamo, world.packer, world.settings), world.clock, lambda _: None
    )
    with pytest.raises(Conflict):
        once.reply(name, "other", TTL, make)
