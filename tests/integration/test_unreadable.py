"""Rows that can't be read: they say so, and keep no other from anything."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.errors import Corrupted

from tests.fakes.clock import START_MS
from tests.integration.world import World


def spoil(world: World, table: str, key: dict[str, str], name: str, value: Any) -> None:
    world.boto.client("dynamodb").update_item(
        TableName=world.settings.name(table),
        Key={part: {"S": text} for part, text in key.items()},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
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
