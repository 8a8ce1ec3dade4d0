"""Admission: a firing runs once, the budget is never overrun, whoever else fires at that time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from task_engine.aws.dynamo import Dynamo, Update
from task_engine.aws.execution_repository import ExecutionRepository
from task_engine.aws.items import Item
from task_engine.errors import NotFound, PreconditionFailed, Unavailable
from task_engine.ids import new_id
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.paging import PageRequest
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import TriggerRecord, TriggerType
from task_engine.services.ports import Admitted

from tests.fakes.clock import START_MS
from tests.integration.world import LIFE, TTL_SECONDS, World, run_of

RECORD = TriggerRecord(
    TriggerType.MANUAL, {"amount": 3}, {"x-id": "7"}, {"user": "42"}, {"extra": [1]}
)


def admit(
    world: World,
    task: Task,
    occurrence: str,
    now_ms: int = START_MS,
    record: TriggerRecord = RECORD,
) -> Admitted:
    identifier = new_id(now_ms)
    return world.executions().admit(task, occurrence, identifier, record, now_ms, LIFE)


class Dying(Dynamo):
    """Whose process is gone before it changes an execution."""

    def update(self, update: Update, returning: str = "NONE") -> Item:
        if update.table.endswith("executions"):
            raise Unavailable("nobody is there any more")
        return super().update(update, returning)


def test_an_admitted_execution_is_pending_and_reads_as_it_was_admitted(world: World) -> None:
    task = world.given_task(version=3)
    admitted = admit(world, task, "at:1")
    execution = admitted.execution
    assert not admitted.duplicate
    assert execution == Execution(
        id=execution.id,
        task_id=task.id,
        owner=task.owner,
        index=0,
        status=ExecutionStatus.PENDING,
        trigger=RECORD,
        context=RunContext("Enabled", 1, 0, 0),
        start_at=START_MS,
        plan_version=3,
    )
    assert world.executions().get(task.id, execution.id) == execution


def test_the_counters_of_the_task_move_with_it(world: World) -> None:
    task = world.given_task()
    admit(world, task, "at:1")
    admit(world, task, "at:2", START_MS + 5)
    stored = world.tasks().get(task.owner, task.id)
    assert stored == replace(task, execution_count=2, last_ran_at=START_MS + 5)


def test_an_undisturbed_admission_is_one_call(world: World) -> None:
    task = world.given_task()
    world.operations()
    admit(world, task, "at:1")
    assert world.operations() == ["TransactWriteItems"]


def test_a_known_occurrence_answers_with_its_first_execution(world: World) -> None:
    task = world.given_task()
    first = admit(world, task, "at:1")
    second = admit(world, task, "at:1")
    assert second == Admitted(first.execution, duplicate=True)
    stored = world.tasks().get(task.owner, task.id)
    assert stored is not None
    assert stored.execution_count == 1


def test_occurrences_are_per_task(world: World) -> None:
    one, other = world.given_task(), world.given_task()
    admit(world, one, "at:1")
    assert not admit(world, other, "at:1").duplicate


def test_an_occurrence_is_forgotten_after_its_time(world: World) -> None:
    task = world.given_task()
    admit(world, task, "at:1")
    later = START_MS + (TTL_SECONDS + 1) * 1000
    assert admit(world, task, "at:1", START_MS + TTL_SECONDS * 1000).duplicate
    assert not admit(world, task, "at:1", later).duplicate


def test_a_known_occurrence_is_answered_after_the_last_run(world: World) -> None:
    task = world.given_task(max_execution=1)
    first = admit(world, task, "at:1")
    current = world.tasks().get(task.owner, task.id)
    assert current is not None
    assert admit(world, current, "at:1") == Admitted(first.execution, duplicate=True)
    with pytest.raises(PreconditionFailed):
        admit(world, current, "at:2")


def test_fifty_at_once_take_exactly_the_budget(world: World) -> None:
    task = world.given_task(max_execution=5)

    def fire(number: int) -> Execution | None:
        try:
            return admit(world, task, f"call:{number}").execution
        except PreconditionFailed:
            return None

    with ThreadPoolExecutor(50) as pool:
        ran = [execution for execution in pool.map(fire, range(50)) if execution]
    assert sorted(execution.index for execution in ran) == [0, 1, 2, 3, 4]
    stored = world.tasks().get(task.owner, task.id)
    assert stored is not None
    assert stored.execution_count == 5
    assert world.executions().count(task.owner, [task.id]) == 5


def test_one_occurrence_reported_by_many_at_once_runs_once(world: World) -> None:
    task = world.given_task()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: admit(world, task, "at:1"), range(20)))
    assert len({answer.execution.id for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1


def test_many_at_once_of_an_unbounded_task_get_every_index_once(world: World) -> None:
    task = world.given_task(max_execution=0)
    with ThreadPoolExecutor(20) as pool:
        ran = list(pool.map(lambda n: admit(world, task, f"call:{n}").execution, range(20)))
    assert sorted(execution.index for execution in ran) == list(range(20))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": TaskStatus.DISABLED},
        {"status": TaskStatus.COMPLETED},
        {"expired_at": START_MS - 1},
        {"start_at": START_MS + 1},
        {"max_execution": 2, "execution_count": 2},
    ],
)
def test_a_task_that_can_not_run_admits_nothing(world: World, changes: dict[str, object]) -> None:
    task = world.given_task(**changes)
    with pytest.raises(PreconditionFailed):
        admit(world, task, "at:1")
    assert world.executions().page([task.id], PageRequest()).rows == ()


def test_a_pause_that_came_between_is_seen(world: World) -> None:
    task = world.given_task()
    world.tasks().set_status(task, TaskStatus.DISABLED, START_MS)
    with pytest.raises(PreconditionFailed):
        admit(world, task, "at:1")


def test_a_deleted_task_is_not_found(world: World) -> None:
    task = world.given_task()
    world.tasks().delete(task.owner, task.id, START_MS)
    with pytest.raises(NotFound):
        admit(world, task, "at:1")


def test_large_trigger_data_goes_to_the_blob_store(world: World) -> None:
    task = world.given_task()
    record = replace(RECORD, data=[f"{n * 7919:x}" for n in range(4000)])
    execution = admit(world, task, "at:1", record=record).execution
    assert f"triggers/{execution.id}" in world.blobs()
    assert world.executions().get(task.id, execution.id) == execution
    assert world.steps().load(run_of(execution), [], []).execution.trigger == record


def test_a_block_that_is_back_is_told_again_when_the_first_time_was_cut_off(world: World) -> None:
    # Given a run whose block had left the chain
    task = world.given_task()
    execution = admit(world, task, "block:1").execution
    store = world.executions()
    assert store.orphan(task.id, "block:1", START_MS + 1, TTL_SECONDS)
    # When whoever takes the mark away dies half way
    dying = ExecutionRepository(Dying(world.client("dynamodb")), world.packer, world.settings)
    with pytest.raises(Unavailable):
        dying.unorphan(execution, "block:1", START_MS + 2)
    marked = store.get(task.id, execution.id)
    assert marked is not None
    assert marked.orphaned_at == START_MS + 1
    # Then the same message does it when it comes again
    store.unorphan(execution, "block:1", START_MS + 2)
    assert store.get(task.id, execution.id) == execution
