"""Checks follow their tasks, in the same transaction; readers see every change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from task_engine.aws.check_repository import OVERLAP_MS, CheckRepository
from task_engine.errors import InvalidRequest
from task_engine.ids import new_id
from task_engine.model.execution import ExecutionStatus
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import BlockCheck, EventCheck

from tests.fakes.clock import START_MS
from tests.integration.world import LIFE, World, a_plan, a_task, an_owner, run_of

CONTRACT = "0x" + "11" * 20
_chains = iter(range(7_000, 8_000))


def a_chain() -> int:
    """A chain that no other test uses."""
    return next(_chains)


def watched_task(
    world: World, chain: int, kind: TriggerType = TriggerType.BLOCK, **changes: Any
) -> Task:
    config: dict[str, Any] = {"chainId": chain}
    if kind is TriggerType.BLOCK:
        config["interval"] = changes.pop("interval", 5)
    else:
        config["queries"] = [{"addresses": [CONTRACT], "topics": []}]
        config["cooldownSeconds"] = changes.pop("cooldown", 0)
    trigger = Trigger("t", "start", kind, config)
    definition = Definition(trigger, (), (), {})
    task = a_task(
        definition=definition, created_at=world.clock.ms, check_version=world.clock.ms, **changes
    )
    world.tasks().create(task, a_plan(), 1000)
    return task


def reader(world: World) -> CheckRepository:
    return CheckRepository(world.dynamo, world.settings, world.clock)


def now(world: World, task: Task) -> Task:
    found = world.tasks().get(task.owner, task.id)
    assert found is not None
    return found


def ids(page: CheckPage) -> set[str]:
    return {check.id for check in page.checks}


def test_the_whole_set_is_read_once_and_then_only_changes(world: World) -> None:
    chain = a_chain()
    tasks = [watched_task(world, chain) for _ in range(5)]
    checks = CheckSet(chain)
    checks.refresh(reader(world))
    assert set(checks.checks) == {task.id for task in tasks}
    world.clock.ms += 10 * OVERLAP_MS
    checks.refresh(reader(world))
    # When long after that one more comes and one goes
    world.clock.ms += 10 * OVERLAP_MS
    late = watched_task(world, chain)
    world.tasks().set_status(tasks[0], TaskStatus.DISABLED, world.clock.ms)
    page = reader(world).page(chain, checks.cursor)
    # Then those alone are read
    assert not page.full
    assert ids(page) == {late.id}
    assert page.removed == (tasks[0].id,)
    # And later nothing at all
    world.clock.ms += 10 * OVERLAP_MS
    again = reader(world).page(chain, reader(world).page(chain, page.cursor).cursor)
    checks.apply(page)
    assert set(checks.checks) == {task.id for task in (*tasks[1:], late)}
    checks.apply(again)
    assert set(checks.checks) == {task.id for task in (*tasks[1:], late)}


def test_pages_end_and_go_on_where_they_ended(world: World) -> None:
    chain = a_chain()
    tasks = [watched_task(world, chain) for _ in range(7)]
    seen: list[str] = []
    cursor, pages = "", 0
    while True:
        page = reader(world).page(chain, cursor, 3)
        assert page.full == (pages == 0)
        seen += [check.id for check in page.checks]
        cursor, pages = page.cursor, pages + 1
        if not page.more:
            break
    assert (seen, pages) == (sorted(task.id for task in tasks), 3)


def test_changes_of_one_millisecond_are_paged_without_losing_any(world: World) -> None:
    chain = a_chain()
    first = reader(world).page(chain, "")
    world.clock.ms += 10 * OVERLAP_MS
    tasks = [watched_task(world, chain) for _ in range(7)]
    seen: set[str] = set()
    page = reader(world).page(chain, first.cursor, 2)
    for _ in range(10):
        seen |= ids(page)
        if not page.more:
            break
        page = reader(world).page(chain, page.cursor, 2)
    assert seen == {task.id for task in tasks}


def test_a_change_that_shows_late_is_read_all_the_same(world: World) -> None:
    # Given a reader that has read changes up to now
    chain = a_chain()
    reads = reader(world)
    cursor = reads.page(chain, "").cursor
    world.clock.ms += 10 * OVERLAP_MS
    watched_task(world, chain)
    cursor = reads.page(chain, cursor).cursor
    # When a change shows that a slow clock has dated earlier
    world.clock.ms -= OVERLAP_MS // 2
    slow = watched_task(world, chain)
    assert slow.id in ids(reads.page(chain, cursor))


def test_what_ends_a_task_ends_its_check(world: World) -> None:
    chain = a_chain()
    paused, deleted, expired, used_up, finished = (
        watched_task(world, chain, max_execution=2, expired_at=START_MS + 1) for _ in range(5)
    )
    tasks, at = world.tasks(), world.clock.ms + 1
    tasks.set_status(paused, TaskStatus.DISABLED, at)
    tasks.delete(deleted.owner, deleted.id, at)
    tasks.set_status(expired, TaskStatus.COMPLETED, at)
    for number in range(2):
        record = TriggerRecord(TriggerType.BLOCK, {"blockNumber": number})
        world.executions().admit(now(world, used_up), f"{number}", new_id(), record, START_MS, LIFE)
    run = run_of(world.given_execution(finished))
    world.executions().finish(run, ExecutionStatus.SUCCESS, "", (), START_MS + 2)
    assert ids(reader(world).page(chain, "")) == set()
    assert now(world, used_up).status is TaskStatus.ENABLED
    assert now(world, finished).status is TaskStatus.COMPLETED


def test_a_resumed_task_is_watched_from_then_on(world: World) -> None:
    chain = a_chain()
    task = watched_task(world, chain)
    paused = world.tasks().set_status(task, TaskStatus.DISABLED, START_MS + 10)
    world.tasks().set_status(paused, TaskStatus.ENABLED, START_MS + 5)
    [check] = reader(world).page(chain, "").checks
    # Also where the clock went back its version grows.
    assert check.version == now(world, task).check_version == START_MS + 11
    assert check.since_ms == check.version


def test_a_check_says_what_its_trigger_says(world: World) -> None:
    chain = a_chain()
    block = watched_task(world, chain, interval=9, start_at=START_MS + 7)
    event = watched_task(world, chain, TriggerType.EVENT, cooldown=30)
    found = {check.id: check for check in reader(world).page(chain, "").checks}
    first, second = found[block.id], found[event.id]
    assert isinstance(first, BlockCheck)
    assert (first.interval, first.owner, first.start_at) == (9, block.owner, START_MS + 7)
    assert isinstance(second, EventCheck)
    assert second.cooldown_seconds == 30
    assert second.queries[0].addresses == {CONTRACT}


def test_a_task_that_no_operator_watches_has_no_check(world: World) -> None:
    task = world.given_task()
    world.operations()
    paused = world.tasks().set_status(task, TaskStatus.DISABLED, START_MS)
    assert paused.check_version == 0
    assert not [row for row in world.items("TABLE_OPERATORS") if row["sk"]["S"] == task.id]


def test_a_task_that_can_not_be_stored_leaves_no_check(world: World) -> None:
    chain = a_chain()
    owner = an_owner()
    watched_task(world, chain, owner=owner)
    task = replace(watched_task(world, a_chain()), id=new_id(), owner=owner)
    with pytest.raises(Exception, match="enabled workflows"):
        world.tasks().create(task, a_plan(), 1)
    assert len(reader(world).page(chain, "").checks) == 1


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10=", "é", "WzEsMiwzXQ=="])
def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        reader(world).page(1, cursor)


def test_a_cursor_of_another_chain_is_refused(world: World) -> None:
    cursor = reader(world).page(a_chain(), "").cursor
    with pytest.raises(InvalidRequest, match="another chain"):
        reader(world).page(a_chain(), cursor)


def test_who_was_away_for_too_long_reads_the_whole_set_again(world: World) -> None:
    chain = a_chain()
    task = watched_task(world, chain)
    cursor = reader(world).page(chain, "").cursor
    world.clock.ms += 7 * 86_400_000
    page = reader(world).page(chain, cursor)
    assert page.full
    assert ids(page) == {task.id}
