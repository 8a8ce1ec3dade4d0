"""Rows that can't be read: they say so, and keep no other from anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from task_engine.errors import Corrupted
from task_engine.model.execution import ExecutionStatus
from task_engine.model.paging import Page, PageRequest
from task_engine.services.ports import TaskFilter

from tests.fakes.clock import START_MS
from tests.integration.world import World, run_of


def spoil(world: World, table: str, key: dict[str, str], name: str, value: Any) -> None:
    """None takes the attribute away."""
    change = {"Action": "DELETE"} if value is None else {"Action": "PUT", "Value": value}
    world.boto.client("dynamodb").update_item(
        TableName=world.settings.name(table),
        Key={part: {"S": text} for part, text in key.items()},
        AttributeUpdates={name: change},
    )


@pytest.mark.parametrize(
    "rubbish", [{"B": b"rubbish"}, {"S": "x"}, {"M": {"blob": {"S": "plans/lost"}}}]
)
def test_a_plan_that_can_not_be_read_says_so(world: World, rubbish: object) -> None:
    task = world.given_task()
    key = {"owner": task.owner, "sk": f"plan#{task.id}#1"}
    spoil(world, "TABLE_TASKS", key, "plan", rubbish)
    with pytest.raises(Corrupted, match="plan"):
        world.plans().of(task.owner, task.id, 1)


def test_a_workflow_that_can_not_be_read_keeps_no_other_from_its_end(world: World) -> None:
    # Given two whose time is over, one of them unreadable
    bad, good = (world.given_task(expired_at=START_MS - 1) for _ in range(2))
    key = {"owner": bad.owner, "sk": f"task#{bad.id}"}
    spoil(world, "TABLE_TASKS", key, "definition", {"B": b"rubbish"})
    # When they are looked for, then the other one is found
    due = {task.id for task in world.tasks().due_to_expire(START_MS, 10_000)}
    assert good.id in due
    assert bad.id not in due
    with pytest.raises(Corrupted):
        world.tasks().get(bad.owner, bad.id)


@pytest.mark.parametrize(
    ("name", "rubbish", "counted"),
    [
        ("definition", {"B": b"rubbish"}, "0"),
        ("definition", {"M": {"blob": {"S": "tasks/lost"}}}, "0"),
        ("status", {"S": "x"}, "1"),
        ("status", None, "1"),
    ],
)
def test_a_workflow_that_can_not_be_read_is_deleted_all_the_same(
    world: World, name: str, rubbish: object, counted: str
) -> None:
    # Given one that has become unreadable
    task = world.given_task()
    spoil(world, "TABLE_TASKS", {"owner": task.owner, "sk": f"task#{task.id}"}, name, rubbish)
    with pytest.raises(Corrupted):
        world.tasks().get(task.owner, task.id)
    # When it is deleted, twice
    for _ in range(2):
        world.tasks().delete(task.owner, task.id, START_MS)
    # Then nothing is left of it but, where nobody could tell its status, its place in the count
    left = [i for i in world.items("TABLE_TASKS") if i["owner"]["S"] == task.owner]
    assert [(i["sk"]["S"], i["enabled"]["N"]) for i in left] == [("count", counted)]


def test_an_execution_that_can_not_be_read_keeps_no_other_from_its_end(world: World) -> None:
    # Given two that are open, one of them unreadable
    task = world.given_task()
    bad = world.given_execution(task)
    good = world.given_execution(world.given_task())
    key = {"taskId": task.id, "id": bad.id}
    spoil(world, "TABLE_EXECUTIONS", key, "trigger", {"B": b"rubbish"})
    # When they are looked for, then the other one is found
    before = world.clock.now_ms() + 1
    open_now = {one.id for one in world.executions().open_before(before, 10_000)}
    assert good.id in open_now
    assert bad.id not in open_now
    with pytest.raises(Corrupted):
        world.executions().get(task.id, bad.id)


def test_a_run_of_a_workflow_that_can_not_be_read_ends_all_the_same(world: World) -> None:
    # Given a workflow with two runs that has become unreadable
    task = world.given_task()
    walked, refused = (run_of(world.given_execution(task)) for _ in range(2))
    key = {"owner": task.owner, "sk": f"task#{task.id}"}
    spoil(world, "TABLE_TASKS", key, "definition", {"B": b"rubbish"})
    # When one comes to its end, and the other can't begin
    ended = world.executions().finish(walked, ExecutionStatus.SUCCESS, "", (), START_MS)
    failed, paused = world.executions().refuse(refused, "no plan", START_MS)
    # Then both have their final status
    assert ended.status is ExecutionStatus.SUCCESS
    assert (failed.status, paused) == (ExecutionStatus.ERROR, None)
    assert failed.error.endswith("its task was deleted or can't be read")


def test_a_step_that_can_not_be_read_says_so(world: World) -> None:
    task = world.given_task()
    execution = world.given_execution(task)
    step = {"executionId": execution.id, "sk": "1#n"}
    spoil(world, "TABLE_STEPS", step, "status", {"S": "success"})
    spoil(world, "TABLE_STEPS", step, "result", {"M": {"blob": {"S": "steps/lost"}}})
    with pytest.raises(Corrupted, match="step"):
        world.steps().steps(execution.id)


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_list_goes_on_past_what_can_not_be_read(world: World, limit: int) -> None:
    # Given three workflows of an owner with a run each, the ones in the middle unreadable
    first = world.given_task()
    tasks = [first, *(world.given_task(owner=first.owner) for _ in range(2))]
    runs = [world.given_execution(task) for task in tasks]
    bad = {"owner": first.owner, "sk": f"task#{tasks[1].id}"}
    spoil(world, "TABLE_TASKS", bad, "definition", {"B": b"rubbish"})
    run = {"taskId": tasks[1].id, "id": runs[1].id}
    spoil(world, "TABLE_EXECUTIONS", run, "trigger", {"B": b"rubbish"})

    # When the lists are read to their ends
    def listed(page_of: Callable[[PageRequest], Page[Any]]) -> list[str]:
        page, seen = page_of(PageRequest(limit=limit)), []
        seen += [row.id for row in page.rows]
        while page.has_next:
            page = page_of(PageRequest(after=page.end_key, limit=limit))
            seen += [row.id for row in page.rows]
        return seen

    # Then the others are there
    names = [task.id for task in tasks]
    of_tasks = listed(lambda asked: world.tasks().page(first.owner, TaskFilter(), asked))
    assert of_tasks == [names[2], names[0]]
    of_runs = listed(lambda asked: world.executions().page(names, asked))
    assert of_runs == [runs[2].id, runs[0].id]
