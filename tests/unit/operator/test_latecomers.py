"""What happened between a task's creation and the moment when the operator heard of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.evm.failures import RpcError
from task_engine.operator.checks import BlockCheck
from task_engine.operator.findings import Kind
from task_engine.operator.latecomers import Latecomers
from task_engine.operator.watch import WatchPorts

from tests.unit.operator.samples import OTHER, TOKEN, WALLET, watch_blocks, watch_events
from tests.unit.operator.world import Watched, emitted_transfer


def late(world: Watched) -> Latecomers:
    ports = WatchPorts(world.chain, world.cursors, world.inbox, world.tokens)
    return Latecomers(ports, world.checks, world.rules, world.clock)


def since(name: str, interval: int, ms: int) -> BlockCheck:
    return replace(watch_blocks(name, interval), since_ms=ms)


@pytest.fixture
def world() -> Watched:
    """A chain whose blocks come with the clock, watched to its end for some other check."""
    made = Watched(watch_blocks("old", 1000))
    made.mine(5)
    made.catch_up()
    made.inbox.findings.clear()
    return made


def test_blocks_passed_since_its_creation_count_for_a_new_check(world: Watched) -> None:
    # Given a check that was created, and three blocks that were passed before it was known
    looker = late(world)
    looker.look()
    created = world.clock.now_ms() + 2000
    first = world.chain.highest + 1
    world.mine(3)
    world.catch_up()
    # When it becomes known
    world.set_checks(watch_blocks("old", 1000), since("new", 1, created))
    sent = looker.look()
    # Then each of them fires, none before, and none a second time
    assert sent == {Kind.BLOCK: 3}
    assert world.numbers("new") == [first, first + 1, first + 2]
    assert looker.look() == {}
    world.catch_up()
    assert world.numbers("new") == [first, first + 1, first + 2]


def test_logs_count_as_blocks_do(world: Watched) -> None:
    looker = late(world)
    looker.look()
    created = world.clock.now_ms() + 2000
    world.chain.mine(emitted_transfer(TOKEN, OTHER, WALLET, 5))
    world.catch_up()
    event = replace(watch_events("new", {"addresses": [TOKEN]}), since_ms=created)
    world.set_checks(watch_blocks("old", 1000), event)
    assert looker.look() == {Kind.EVENT: 1}


@pytest.mark.parametrize(("created_after_ms", "fires"), [(-500, True), (20_000, False)])
def test_a_chain_whose_clock_is_slow_hides_nothing(created_after_ms: int, fires: bool) -> None:
    # Given a chain that is a minute behind
    world = Watched(watch_blocks("old", 1000))
    world.chain.slow_seconds = 60
    world.mine(5)
    world.catch_up()
    looker = late(world)
    looker.look()
    # And a block that comes half a second after the last look at it
    world.clock.forward(10_000)
    world.look()
    block = world.chain.mine(after_ms=500)
    came = world.clock.now_ms()
    world.catch_up()
    # When a check becomes known that was created just before the block, or well after it
    world.clock.forward(30_000)
    created = came + created_after_ms
    world.set_checks(watch_blocks("old", 1000), since("new", 1, created))
    looker.look()
    # Then the block counts for the first alone
    assert world.numbers("new") == [block.number] * fires


def test_a_clock_that_is_right_again_is_believed(world: Watched) -> None:
    # Given a chain that was slow, and a block that shows that it is no longer
    looker = late(world)
    looker.look()
    world.chain.slow_seconds = 60
    world.look()
    world.mine(1)
    world.catch_up()
    world.chain.slow_seconds = 0
    world.mine(1)
    world.catch_up()
    # When a check becomes known that was created well after that block
    created = world.clock.now_ms() + 5_000
    world.clock.forward(10_000)
    world.set_checks(watch_blocks("old", 1000), since("new", 1, created))
    # Then it is not about the block
    assert looker.look() == {}


def test_nothing_is_asked_without_new_checks(world: Watched) -> None:
    looker = late(world)
    looker.look()
    before = world.chain.round_trips
    world.mine(3)
    assert looker.look() == {}
    assert world.chain.round_trips == before


def test_a_check_whose_blocks_are_still_to_come_is_the_watchers(world: Watched) -> None:
    # Given a check that is known before the blocks after it are passed
    looker = late(world)
    looker.look()
    world.clock.forward(5_000)
    world.set_checks(watch_blocks("old", 1000), since("new", 1, world.clock.now_ms()))
    world.mine(2)
    # When both have looked
    assert looker.look() == {}
    world.catch_up()
    # Then each block has fired once
    numbers = world.numbers("new")
    assert len(numbers) == len(set(numbers)) == 2


def test_old_checks_are_left_alone_when_a_process_begins(world: Watched) -> None:
    # Given a check that has been watched for an hour
    world.set_checks(since("old", 1, world.clock.now_ms() - 3_600_000))
    # When another process begins
    assert late(world).look() == {}


def test_what_fails_is_looked_at_again(world: Watched) -> None:
    looker = late(world)
    looker.look()
    created = world.clock.now_ms() + 2000
    world.mine(2)
    world.catch_up()
    world.set_checks(watch_blocks("old", 1000), since("new", 1, created))

    def fail() -> None:
        raise RpcError("down", may_retry=True)

    world.chain.before_trip = fail
    with pytest.raises(RpcError):
        looker.look()
    world.chain.before_trip = lambda: None
    assert looker.look() == {Kind.BLOCK: 2}


def test_a_reorg_takes_back_what_was_told_late(world: Watched) -> None:
    # Given late findings of two blocks
    looker = late(world)
    looker.look()
    created = world.clock.now_ms() + 2000
    world.mine(2)
    world.catch_up()
    world.set_checks(watch_blocks("old", 1000), since("new", 1, created))
    looker.look()
    late_ones = world.numbers("new")
    # When the chain leaves both, and longer ones come
    world.chain.reorg(2)
    world.mine(4)
    world.watcher = world.fresh()
    world.catch_up()
    # Then both are taken back
    assert sorted(world.numbers("new", Kind.ORPHANED)) == late_ones


def test_a_chain_that_has_changed_is_left_to_the_watcher(world: Watched) -> None:
    looker = late(world)
    looker.look()
    created = world.clock.now_ms() + 2000
    world.mine(2)
    world.catch_up()
    world.set_checks(watch_blocks("old", 1000), since("new", 1, created))
    world.chain.reorg(1)
    world.mine(2)
    with pytest.raises(RpcError):
        looker.look()
    # After the watcher has stepped back
    world.catch_up()
    looker.look()
    standing = set(world.numbers("new")) - set(world.numbers("new", Kind.ORPHANED))
    assert len(standing) >= 2
