"""Executions: finished once with their task, listed, counted, found when they are stuck."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from task_engine.errors import Conflict, NotFound
from task_engine.model.execution import ExecutionStatus
from task_engine.model.paging import PageRequest
from task_engine.model.task import CompletionReason, Task, TaskStatus

from tests.fakes.clock import START_MS
from tests.integration.world import World, a_plan, run_of

END = START_MS + 500


def current(world: World, task: Task) -> Task:
    stored = world.tasks().get(task.owner, task.id)
    assert stored is not None
    return stored


def test_finishing_sets_the_final_status_once(world: World) -> None:
    task = world.given_task()
    execution = world.given_execution(task)
    run, store = run_of(execution), world.executions()
    done = store.finish(run, ExecutionStatus.FAILED, "1 of 2 steps failed: work", ("x",), END)
    assert done == replace(
        execution,
        status=ExecutionStatus.FAILED,
        error="1 of 2 steps failed: work",
        skipped=("x",),
        end_at=END,
    )
    again = store.finish(run, ExecutionStatus.SUCCESS, "", (), END + 1)
    assert again == done == store.get(task.id, execution.id)


def test_finishing_an_unknown_execution_is_not_found(world: World) -> None:
    run = replace(run_of(world.given_execution(world.given_task())), execution_id="0" * 26)
    with pytest.raises(NotFound):
        world.executions().finish(run, ExecutionStatus.SUCCESS, "", (), END)


def test_many_who_finish_at_once_agree(world: World) -> None:
    execution = world.given_execution(world.given_task())
    run = run_of(execution)

    def finish(number: int) -> int:
        store = world.executions()
        return store.finish(run, ExecutionStatus.SUCCESS, "", (), END + number).end_at

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(finish, range(8)))) == 1


def test_the_last_run_completes_the_task_and_frees_its_place(world: World) -> None:
    task = world.given_task(max_execution=1)
    execution = world.given_execution(task)
    world.executions().finish(run_of(execution), ExecutionStatus.SUCCESS, "", (), END)
    stored = current(world, task)
    assert stored.status is TaskStatus.COMPLETED
    assert stored.completed_at == END
    assert stored.completion_reason is CompletionReason.MAX_EXECUTIONS_REACHED
    # The owner's only place is free again.
    world.tasks().create(replace(task, id="0" * 26), a_plan(), 1)


def test_expiry_beats_the_budget_as_reason(world: World) -> None:
    task = world.given_task(max_execution=1, expired_at=END)
    execution = world.given_execution(task)
    world.executions().finish(run_of(execution), ExecutionStatus.SUCCESS, "", (), END)
    assert current(world, task).completion_reason is CompletionReason.EXPIRED
    assert task.id not in {t.id for t in world.tasks().due_to_expire(END + 1, 10_000)}


def test_a_paused_task_is_completed_too_and_its_place_is_not_freed_twice(world: World) -> None:
    task = world.given_task(max_execution=1)
    execution = world.given_execution(task)
    world.tasks().set_status(current(world, task), TaskStatus.DISABLED, END)
    world.executions().finish(run_of(execution), ExecutionStatus.SUCCESS, "", (), END)
    assert current(world, task).status is TaskStatus.COMPLETED
    counts = [i for i in world.items("TABLE_TASKS") if i["owner"]["S"] == task.owner]
    assert [i["enabled"]["N"] for i in counts if i["sk"]["S"] == "count"] == ["0"]


def test_a_task_with_runs_left_stays_enabled(world: World) -> None:
    task = world.given_task(max_execution=2)
    execution = world.given_execution(task)
    world.executions().finish(run_of(execution), ExecutionStatus.SUCCESS, "", (), END)
    assert current(world, task).status is TaskStatus.ENABLED


def test_a_run_of_a_deleted_task_can_finish(world: World) -> None:
    task = world.given_task()
    execution = world.given_execution(task)
    world.tasks().delete(task.owner, task.id, START_MS)
    done = world.executions().finish(run_of(execution), ExecutionStatus.ERROR, "gone", (), END)
    assert done.status is ExecutionStatus.ERROR


@pytest.mark.parametrize(("limit", "tasks"), [(1, 1), (3, 1), (3, 3), (200, 2)])
def test_pages_forward_and_back_are_the_same(world: World, limit: int, tasks: int) -> None:
    owned = [world.given_task() for _ in range(tasks)]
    made = []
    for number in range(7):
        made.append(world.given_execution(owned[number % tasks]).id)
        world.clock.forward(1)
    ids, store = [task.id for task in owned], world.executions()
    forward = [store.page(ids, PageRequest(limit=limit))]
    while forward[-1].has_next:
        forward.append(store.page(ids, PageRequest(after=forward[-1].end_key, limit=limit)))
    assert [row.id for page in forward for row in page.rows] == made[::-1]
    assert [page.has_previous for page in forward] == [False] + [True] * (len(forward) - 1)
    page = forward[-1]
    for expected in reversed(forward[:-1]):
        page = store.page(ids, PageRequest(before=page.start_key, limit=limit))
        assert page.rows == expected.rows
        assert page.has_next
    assert not page.has_previous or len(forward) == 1


def test_an_empty_page_has_no_cursors(world: World) -> None:
    task = world.given_task()
    world.given_execution(task)
    page = world.executions().page([task.id], PageRequest(after="0" * 26))
    assert (page.rows, page.start_key, page.end_key) == ((), None, None)
    assert not page.has_next
    assert not page.has_previous


@pytest.mark.parametrize("cursor", ["", " ", "~~~", "\ud800", "ü" * 600, "z" * 2000, "\x00"])
def test_a_made_up_cursor_is_a_place_like_any_other(world: World, cursor: str) -> None:
    task = world.given_task()
    execution = world.given_execution(task)
    store = world.executions()
    after = store.page([task.id], PageRequest(after=cursor)).rows
    before = store.page([task.id], PageRequest(before=cursor)).rows
    assert {row.id for row in (*after, *before)} == {execution.id}


def test_counts_are_kept_by_the_tasks_and_survive_them(world: World) -> None:
    task = world.given_task()
    other = world.given_task(owner=task.owner)
    for _ in range(3):
        world.given_execution(task)
    world.given_execution(other)
    store = world.executions()
    world.operations()
    assert store.count(task.owner, [task.id, other.id]) == 4
    assert world.operations() == ["BatchGetItem"]
    world.tasks().delete(task.owner, task.id, START_MS)
    assert store.count(task.owner, [task.id, other.id]) == 4
    assert store.count("0xsomebody", [task.id, other.id]) == 0


def test_since_leaves_out_what_is_older(world: World) -> None:
    task = world.given_task()
    world.given_execution(task)
    world.clock.forward(1000)
    late = world.given_execution(task)
    found = world.executions().since([task.id], late.start_at)
    assert [(e.id, e.status, e.start_at) for e in found] == [
        (late.id, ExecutionStatus.PENDING, late.start_at)
    ]


def test_open_executions_are_found_until_they_are_finished(world: World) -> None:
    task = world.given_task()
    stuck = [world.given_execution(task) for _ in range(3)]
    store = world.executions()

    def open_ids(before: int) -> set[str]:
        return {e.id for e in store.open_before(before, 10_000)}

    assert {e.id for e in stuck} <= open_ids(START_MS + 1)
    assert not {e.id for e in stuck} & open_ids(START_MS)
    store.finish(run_of(stuck[0]), ExecutionStatus.SUCCESS, "", (), END)
    assert {e.id for e in stuck} & open_ids(START_MS + 1) == {e.id for e in stuck[1:]}
    assert len(store.open_before(START_MS + 1, 1)) == 1


def test_a_reopened_execution_is_pending_and_found_by_the_sweeper_again(world: World) -> None:
    # Given an execution that was given up
    execution = world.given_execution(world.given_task())
    run = run_of(execution)
    executions, now = world.executions(), world.clock.now_ms()
    ended = executions.finish(run, ExecutionStatus.ERROR, "stopped", ("n",), now)
    # When it is reopened, twice at once
    again = executions.reopen(ended, now + 5)
    with pytest.raises(Conflict):
        executions.reopen(ended, now + 6)
    # Then it stands as if it had just been admitted, and says when it was resumed
    assert again == replace(execution, resumes=1, resumed_at=now + 5)
    assert executions.get(execution.task_id, execution.id) == again
    assert again.id in {each.id for each in executions.open_before(now + 1, 1000)}
    # And it can end, and be reopened, again
    twice = executions.finish(run, ExecutionStatus.ERROR, "stopped", (), now + 9)
    assert executions.reopen(twice, now + 10).resumes == 2
