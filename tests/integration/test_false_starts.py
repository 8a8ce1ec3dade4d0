"""Runs that can never begin: failed, counted by their task, and too many in a row pause it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.task import MOST_FALSE_STARTS, CompletionReason, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerType
from task_engine.run.ports import Run

from tests.fakes.clock import START_MS
from tests.integration.world import World, a_task, run_of

END = START_MS + 500
REASON = "the stored plan can't be read"
ON_CHAIN = Trigger("t", "start", TriggerType.BLOCK, {"chainId": 11155111, "interval": 10})


def current(world: World, task: Task) -> Task:
    stored = world.tasks().get(task.owner, task.id)
    assert stored is not None
    return stored


def runs(world: World, task: Task, count: int) -> list[Run]:
    return [run_of(world.given_execution(current(world, task))) for _ in range(count)]


def false_starts(world: World, task: Task, count: int) -> list[tuple[Execution, Task | None]]:
    store = world.executions()
    return [store.refuse(run, REASON, END) for run in runs(world, task, count)]


def test_a_false_start_is_a_failed_execution_that_its_task_counts(world: World) -> None:
    task = world.given_task()
    [(execution, paused)] = false_starts(world, task, 1)
    assert (execution.status, execution.error) == (ExecutionStatus.FAILED, REASON)
    assert (execution.skipped, execution.end_at, paused) == ((), END, None)
    stands = current(world, task)
    assert (stands.status, stands.note) == (TaskStatus.ENABLED, "")
    assert (stands.false_starts, stands.false_start) == (1, REASON)


def test_the_tenth_in_a_row_pauses_the_task_and_says_why(world: World) -> None:
    task = world.given_task()
    *before, (_, paused) = false_starts(world, task, MOST_FALSE_STARTS)
    assert [told for _, told in before] == [None] * (MOST_FALSE_STARTS - 1)
    stands = current(world, task)
    assert paused == stands
    assert stands.status is TaskStatus.DISABLED
    assert stands.note.startswith(f"paused: 10 runs in a row could not begin: {REASON}.")
    counts = [i for i in world.items("TABLE_TASKS") if i["owner"]["S"] == task.owner]
    assert [i["enabled"]["N"] for i in counts if i["sk"]["S"] == "count"] == ["0"]


def test_operators_are_told_with_it(world: World) -> None:
    definition = a_task().definition
    watched = type(definition)(ON_CHAIN, definition.nodes, definition.edges)
    task = world.given_task(definition=watched, check_version=START_MS)
    false_starts(world, task, MOST_FALSE_STARTS)
    stands = current(world, task)
    [row] = [i for i in world.items("TABLE_OPERATORS") if i["sk"]["S"] == task.id]
    assert row["state"]["S"] == "gone"
    assert int(row["version"]["N"]) == stands.check_version > START_MS


def test_many_at_once_are_all_counted_and_pause_it_once(world: World) -> None:
    task = world.given_task()
    begun = runs(world, task, 12)
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda run: world.executions().refuse(run, REASON, END)[1], begun))
    # Whoever comes after the pause is told of it as well, since the one before may have died
    assert {one.status for one in told if one is not None} == {TaskStatus.DISABLED}
    stands = current(world, task)
    assert (stands.status, stands.false_starts) == (TaskStatus.DISABLED, 12)


def test_one_that_is_refused_again_counts_once(world: World) -> None:
    task = world.given_task()
    [run] = runs(world, task, 1)
    first, again = (world.executions().refuse(run, REASON, at)[0] for at in (END, END + 1))
    assert first == again
    assert current(world, task).false_starts == 1


@pytest.mark.parametrize("status", [ExecutionStatus.SUCCESS, ExecutionStatus.FAILED])
def test_a_walk_to_the_end_ends_the_row(world: World, status: ExecutionStatus) -> None:
    task = world.given_task()
    false_starts(world, task, 3)
    [run] = runs(world, task, 1)
    world.executions().finish(run, status, "", (), END)
    stands = current(world, task)
    assert (stands.false_starts, stands.false_start) == (0, "")
    false_starts(world, task, MOST_FALSE_STARTS - 1)
    assert current(world, task).status is TaskStatus.ENABLED


def test_what_may_pass_neither_counts_nor_ends_the_row(world: World) -> None:
    task = world.given_task()
    false_starts(world, task, 3)
    [run] = runs(world, task, 1)
    world.executions().finish(run, ExecutionStatus.ERROR, "the walk failed", (), END)
    assert current(world, task).false_starts == 3


def test_resuming_begins_a_new_row_and_pausing_does_not(world: World) -> None:
    task = world.given_task()
    false_starts(world, task, 3)
    tasks = world.tasks()
    paused = tasks.set_status(current(world, task), TaskStatus.DISABLED, END)
    assert current(world, task) == paused
    assert paused.false_starts == 3
    resumed = tasks.set_status(paused, TaskStatus.ENABLED, END)
    assert current(world, task) == resumed
    assert (resumed.false_starts, resumed.false_start, resumed.note) == (0, "", "")


def test_the_last_run_completes_the_task_however_it_ended(world: World) -> None:
    task = world.given_task(max_execution=MOST_FALSE_STARTS)
    false_starts(world, task, MOST_FALSE_STARTS)
    stands = current(world, task)
    assert stands.status is TaskStatus.COMPLETED
    assert stands.completion_reason is CompletionReason.MAX_EXECUTIONS_REACHED


def test_a_run_of_a_deleted_task_is_an_error(world: World) -> None:
    task = world.given_task()
    [run] = runs(world, task, 1)
    world.tasks().delete(task.owner, task.id, END)
    execution, paused = world.executions().refuse(run, REASON, END)
    assert (execution.status, paused) == (ExecutionStatus.ERROR, None)
    assert execution.error.endswith("its task was deleted or can't be read")


def test_a_run_that_begins_costs_no_call_more(world: World) -> None:
    task = world.given_task()
    [run] = runs(world, task, 1)
    store = world.executions()
    world.operations()
    store.finish(run, ExecutionStatus.SUCCESS, "", (), END)
    assert world.operations() == ["GetItem", "TransactWriteItems", "GetItem"]
