"""An answer that was lost on the way: the call is made again, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from task_engine.aws.guard_repository import GuardRepository
from task_engine.ids import new_id
from task_engine.model.execution import ExecutionStatus
from task_engine.model.task import TaskStatus
from task_engine.model.trigger import TriggerRecord, TriggerType
from task_engine.run.ports import Claim, StepKey

from infra_cdk.local.aws import LocalAws
from tests.fakes.clock import START_MS
from tests.integration.lossy import LossyWay, lossy_way
from tests.integration.world import LIFE, World, a_plan, a_task, run_of

KEY = StepKey(1, "n")


@pytest.fixture
def way(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyWay]:
    """What the test's adapters are pointed to."""
    with lossy_way(aws.endpoint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running
        assert running.lose == []


def test_a_claim_finds_itself_and_was_not_interrupted(world: World, way: LossyWay) -> None:
    run = run_of(world.given_execution(world.given_task()))
    way.lose = ["UpdateItem"]
    assert world.steps().claim(run, KEY, 60_000, 1) == Claim(attempt=1)
    assert way.made.count("UpdateItem") == 2


def test_a_claim_that_took_over_from_an_interrupted_one_still_says_so(
    world: World, way: LossyWay
) -> None:
    run = run_of(world.given_execution(world.given_task()))
    world.steps().claim(run, KEY, 60_000, 1)
    way.lose = ["UpdateItem"]
    assert world.steps().claim(run, KEY, 60_000, 2) == Claim(attempt=2, interrupted=True)


def test_a_name_is_taken_by_its_taker(world: World, way: LossyWay) -> None:
    guards, name = GuardRepository(world.dynamo, world.settings), new_id()
    way.lose = ["UpdateItem"]
    assert guards.take(name, 60, START_MS)
    assert not guards.take(name, 60, START_MS)


def test_a_firing_is_admitted_once(world: World, way: LossyWay) -> None:
    task, identifier = world.given_task(), new_id(START_MS)
    way.lose = ["TransactWriteItems"]
    record = TriggerRecord(TriggerType.MANUAL, {})
    admitted = world.executions().admit(task, "at:1", identifier, record, START_MS, LIFE)
    assert (admitted.execution.id, admitted.execution.index) == (identifier, 0)
    assert not admitted.duplicate
    stored = world.tasks().get(task.owner, task.id)
    assert stored is not None
    assert stored.execution_count == 1


def test_a_task_is_created_and_paused_once(world: World, way: LossyWay) -> None:
    task, tasks = a_task(), world.tasks()
    way.lose = ["TransactWriteItems"]
    tasks.create(task, a_plan(), 1)
    way.lose = ["TransactWriteItems"]
    paused = tasks.set_status(task, TaskStatus.DISABLED, START_MS)
    assert paused == tasks.get(task.owner, task.id)
    # The owner's only place was taken once and freed once.
    tasks.create(a_task(owner=task.owner), a_plan(), 1)


def test_a_step_and_an_end_are_stored_once(world: World, way: LossyWay) -> None:
    execution = world.given_execution(world.given_task(max_execution=1))
    way.lose = ["TransactWriteItems"]
    done = world.executions().finish(
        run_of(execution), ExecutionStatus.SUCCESS, "", (), START_MS + 1
    )
    assert done == replace(execution, status=ExecutionStatus.SUCCESS, end_at=START_MS + 1)
    task = world.tasks().get(execution.owner, execution.task_id)
    assert task is not None
    assert task.status is TaskStatus.COMPLETED
