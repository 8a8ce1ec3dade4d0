"""Tasks: stored whole, bounded by quota, changed by one at a time, deleted with what is theirs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from task_engine.aws.state_repository import StateRepository
from task_engine.errors import Conflict, NotFound, QuotaExceeded
from task_engine.model.json_value import JsonValue
from task_engine.model.paging import PageRequest
from task_engine.model.secret import SecretScope
from task_engine.model.task import CompletionReason, TaskStatus
from task_engine.services.ports import TaskFilter

from tests.fakes.clock import START_MS
from tests.integration.world import World, a_plan, a_task, an_owner

NOW = START_MS + 9


def test_a_task_and_its_plan_read_as_they_were_written(world: World) -> None:
    task = a_task(start_at=START_MS, expired_at=START_MS + 1, version=2)
    plan = replace(a_plan(), version=2)
    world.operations()
    world.tasks().create(task, plan, 1)
    assert world.operations() == ["TransactWriteItems"]
    assert world.tasks().get(task.owner, task.id) == task
    plans = world.plans()
    assert plans.of(task.owner, task.id, 2) == plan
    world.operations()
    assert plans.of(task.owner, task.id, 2) == plan
    assert world.operations() == []


def test_a_large_plan_and_definition_go_to_the_blob_store_and_leave_with_the_task(
    world: World,
) -> None:
    source = " ".join(f"{n * 7919:x}" for n in range(4000))
    task = a_task()
    variables: dict[str, JsonValue] = {"settings": source}
    task = replace(task, definition=replace(task.definition, input_variables=variables))
    world.tasks().create(task, a_plan(source=source), 10)
    mine = {key for key in world.blobs() if task.id in key}
    assert len(mine) == 2
    assert world.tasks().get(task.owner, task.id) == task
    assert world.plans().of(task.owner, task.id, 1).nodes["n"].config["source"] == source
    world.tasks().delete(task.owner, task.id, START_MS)
    assert not mine & world.blobs()


def test_another_owners_task_is_unknown(world: World) -> None:
    task = world.given_task()
    assert world.tasks().get(an_owner(), task.id) is None
    with pytest.raises(NotFound):
        world.plans().of(an_owner(), task.id, 1)


def test_the_quota_counts_enabled_tasks_only(world: World) -> None:
    tasks, first = world.tasks(), a_task()
    tasks.create(first, a_plan(), 2)
    tasks.create(a_task(owner=first.owner), a_plan(), 2)
    third = a_task(owner=first.owner)
    with pytest.raises(QuotaExceeded):
        tasks.create(third, a_plan(), 2)
    assert tasks.get(first.owner, third.id) is None
    paused = tasks.set_status(first, TaskStatus.DISABLED, NOW)
    tasks.create(third, a_plan(), 2)
    with pytest.raises(QuotaExceeded):
        tasks.set_status(paused, TaskStatus.ENABLED, NOW, max_active=2)
    tasks.delete(third.owner, third.id, START_MS)
    assert tasks.set_status(paused, TaskStatus.ENABLED, NOW, max_active=2).status == "enabled"


def test_many_who_create_at_once_stay_within_the_quota(world: World) -> None:
    owner = an_owner()

    def create(_: int) -> bool:
        try:
            world.tasks().create(a_task(owner=owner), a_plan(), 4)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(create, range(12))) == 4
    assert world.tasks().count(owner, TaskFilter()) == 4


def test_the_same_id_twice_is_a_conflict(world: World) -> None:
    task = world.given_task()
    with pytest.raises(Conflict):
        world.tasks().create(task, a_plan(), 10)


def test_completion_is_stored_with_its_reason(world: World) -> None:
    task, tasks = world.given_task(), world.tasks()
    done = tasks.set_status(task, TaskStatus.COMPLETED, NOW, CompletionReason.EXPIRED)
    assert done == tasks.get(task.owner, task.id)
    assert done.completed_at == NOW
    assert done.completion_reason is CompletionReason.EXPIRED


def test_a_change_from_a_status_that_is_no_more_is_a_conflict(world: World) -> None:
    task, tasks = world.given_task(), world.tasks()
    tasks.set_status(task, TaskStatus.DISABLED, NOW)
    with pytest.raises(Conflict):
        tasks.set_status(task, TaskStatus.COMPLETED, NOW)
    tasks.delete(task.owner, task.id, START_MS)
    with pytest.raises(Conflict):
        tasks.set_status(task, TaskStatus.DISABLED, NOW)


def test_due_tasks_are_found_until_they_are_over(world: World) -> None:
    tasks = world.tasks()
    due = world.given_task(expired_at=START_MS)
    paused = world.given_task(expired_at=START_MS)
    paused = tasks.set_status(paused, TaskStatus.DISABLED, NOW)
    later = world.given_task(expired_at=START_MS + 10)
    never = world.given_task()

    def found(now: int) -> set[str]:
        mine = {due.id, paused.id, later.id, never.id}
        return mine & {task.id for task in tasks.due_to_expire(now, 10_000)}

    assert found(START_MS) == set()
    assert found(START_MS + 1) == {due.id, paused.id}
    tasks.set_status(due, TaskStatus.COMPLETED, NOW, CompletionReason.EXPIRED)
    assert found(START_MS + 11) == {paused.id, later.id}
    assert len(tasks.due_to_expire(START_MS + 11, 1)) == 1


def test_filters_and_counts(world: World) -> None:
    tasks, owner = world.tasks(), an_owner()
    for number in range(6):
        task = a_task(owner=owner, wallet=f"0x{number % 2}")
        tasks.create(task, a_plan(), 10)
        if number < 2:
            tasks.set_status(task, TaskStatus.DISABLED, NOW)
    enabled = TaskFilter(("0x0",), (TaskStatus.ENABLED,))
    assert tasks.count(owner, TaskFilter()) == 6
    assert tasks.count(owner, TaskFilter(("0x0",))) == 3
    assert tasks.count(owner, enabled) == 2
    many = tuple(f"0x{number}" for number in range(1, 150))
    assert tasks.count(owner, TaskFilter(many)) == 3
    page = tasks.page(owner, enabled, PageRequest(limit=2))
    assert {(row.wallet, row.status.value) for row in page.rows} == {("0x0", "enabled")}
    assert not page.has_next


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_forward_and_back_are_the_same(world: World, limit: int) -> None:
    tasks, owner = world.tasks(), an_owner()
    made = [a_task(owner=owner) for _ in range(7)]
    for task in made:
        tasks.create(task, a_plan(), 10)
    forward = [tasks.page(owner, TaskFilter(), PageRequest(limit=limit))]
    while forward[-1].has_next:
        request = PageRequest(after=forward[-1].end_key, before="ignored", limit=limit)
        forward.append(tasks.page(owner, TaskFilter(), request))
    assert [row for page in forward for row in page.rows] == made[::-1]
    page = forward[-1]
    for expected in reversed(forward[:-1]):
        page = tasks.page(owner, TaskFilter(), PageRequest(before=page.start_key, limit=limit))
        assert page.rows == expected.rows


def test_deleting_takes_plan_state_and_secrets_and_leaves_executions(world: World) -> None:
    task = world.given_task()
    kept = world.given_task(owner=task.owner)
    execution = world.given_execution(task)
    for of in (task, kept):
        StateRepository(world.dynamo, world.packer, world.settings).of(of.id).save({"k": 1})
        world.secrets().put(task.owner, SecretScope.WORKFLOW, of.id, "API", "sesame", 1)
    world.secrets().put(task.owner, SecretScope.USER, "", "API", "sesame", 1)
    world.tasks().delete(task.owner, task.id, START_MS)
    assert world.tasks().get(task.owner, task.id) is None
    rest = [i for t in ("TASKS", "TASK_STATE", "SECRETS") for i in world.items(f"TABLE_{t}")]
    assert not [i for i in rest if task.id in str(i)]
    assert [i for i in rest if kept.id in str(i)]
    names = [i.scope.value for i in world.secrets().page(task.owner, None, PageRequest()).rows]
    assert sorted(names) == ["user", "workflow"]
    assert world.executions().get(task.id, execution.id) is not None
    world.tasks().delete(task.owner, task.id, START_MS)


def test_a_task_that_was_paused_meanwhile_is_deleted_all_the_same(world: World) -> None:
    task = world.given_task()
    world.tasks().set_status(task, TaskStatus.DISABLED, NOW)
    world.tasks().delete(task.owner, task.id, START_MS)
    left = [i for i in world.items("TABLE_TASKS") if i["owner"]["S"] == task.owner]
    assert [(i["sk"]["S"], i["enabled"]["N"]) for i in left] == [("count", "0")]
