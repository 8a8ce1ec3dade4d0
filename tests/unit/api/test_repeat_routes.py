"""Owners run an execution once more, or have one that stopped go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.errors import Conflict, NotFound
from task_engine.model.execution import Execution, ExecutionStatus, resumes_of, walk_name
from task_engine.model.plan import Plan, RunClass
from task_engine.model.task import TaskStatus
from task_engine.model.trigger import TriggerRecord, TriggerType
from task_engine.services.finishing import FinishEvents
from task_engine.services.ports import OccurrenceLife
from task_engine.services.resume import ResumeService

from tests.unit.api.world import OTHER, OWNER, World
from tests.unit.services.test_sweep_and_start import PLAN, TASK, Yard

HOUR = 3_600_000
RECORD = TriggerRecord(TriggerType.MANUAL, {"n": 3}, variables={"extra": "once"})


def given_run(world: World, status: ExecutionStatus = ExecutionStatus.FAILED) -> Execution:
    """A run with variables of its own, ended like this."""
    task = world.store_task(max_execution=3)
    life = OccurrenceLife(60)
    admitted = world.records.admit(task, "call:1", "01k9zq3v7d2m4n6p8r0t2w4y6z", RECORD, 5, life)
    return world.records.end(admitted.execution, status, 9)


def rerun(world: World, run: Execution, key: str = "") -> str:
    headers = {"Idempotency-Key": key} if key else {}
    path = f"/executions/{run.id.upper()}:rerun?workflowId={run.task_id}"
    answer = world.call("POST", path, headers=headers)
    assert answer.status == 202, answer.text
    return str(answer.json["executionId"])


def test_a_rerun_is_a_new_execution_with_the_same_record(world: World) -> None:
    run = given_run(world)
    again = world.records.get(run.task_id, rerun(world, run))
    assert again is not None
    assert (again.id != run.id, again.index, again.trigger) == (True, 1, RECORD)
    assert world.queue.sent == [again.id]
    assert world.records.get(run.task_id, run.id) == run


def test_a_key_makes_a_repeated_rerun_the_same_one(world: World) -> None:
    run = given_run(world)
    first = rerun(world, run, "k")
    assert rerun(world, run, "k") == first
    # Neither a trigger with that key, nor a rerun of another run, is that occurrence.
    assert rerun(world, given_run(world), "k") != first
    body = {"triggerType": "manual"}
    path = f"/workflows/{run.task_id}:trigger"
    triggered = world.call("POST", path, body, headers={"Idempotency-Key": "k"}).json
    assert triggered["executionId"] != first


def test_a_rerun_is_paid_from_the_budget(world: World) -> None:
    run = given_run(world)
    rerun(world, run)
    rerun(world, run)
    refused = world.call("POST", f"/executions/{run.id}:rerun?workflowId={run.task_id}")
    assert (refused.status, refused.json["code"]) == (400, "TASK_EXHAUSTED")


def test_a_paused_task_is_not_rerun(world: World) -> None:
    run = given_run(world)
    task = world.tasks.get(OWNER, run.task_id)
    assert task is not None
    world.tasks.set_status(task, TaskStatus.DISABLED, 1)
    refused = world.call("POST", f"/executions/{run.id}:rerun?workflowId={run.task_id}")
    assert (refused.status, refused.json["code"]) == (400, "TASK_DISABLED")


def resumed(world: World, run: Execution) -> Execution:
    service = ResumeService(world.records, world.tasks, world.walker, world.clock)
    return service.resume(OWNER, run.task_id, run.id)


def test_a_run_that_was_given_up_goes_on(world: World) -> None:
    run = given_run(world, ExecutionStatus.ERROR)
    again = resumed(world, run)
    assert (again.status, again.end_at, again.resumes) == (ExecutionStatus.PENDING, 0, 1)
    assert (again.id, again.index) == (run.id, run.index)
    assert world.walker.ran == [run.id]


@pytest.mark.parametrize("status", [ExecutionStatus.SUCCESS, ExecutionStatus.FAILED])
def test_a_run_that_came_to_its_end_stays_as_it_is(world: World, status: ExecutionStatus) -> None:
    run = given_run(world, status)
    with pytest.raises(Conflict) as refused:
        resumed(world, run)
    assert refused.value.stable_code == "EXECUTION_FINISHED"
    assert world.walker.ran == []


def test_a_young_run_is_left_alone_and_an_old_one_revived(world: World) -> None:
    run = given_run(world, ExecutionStatus.PENDING)
    world.records.rows[run.task_id, run.id] = replace(run, start_at=world.clock.ms)
    assert resumed(world, run).resumes == 0
    assert world.walker.ran == []
    world.clock.forward(HOUR)
    assert resumed(world, run).resumes == 0
    assert world.walker.ran == [run.id]


def test_a_run_revived_often_enough_begins_a_new_row_of_walks() -> None:
    yard = Yard()
    run = yard.given_execution()
    yard.clock.forward(HOUR)
    yard.walker.worn_out = True
    service = ResumeService(yard.executions, yard.tasks, yard.walker, yard.clock)
    again = service.resume(TASK.owner, TASK.id, run.id)
    assert (again.resumes, yard.walker.ran) == (1, [run.id])
    # The sweeper counts from the resumption on, not from the start.
    assert yard.sweeper.sweep()["givenUp"] == 0


def test_strangers_and_deleted_tasks(world: World) -> None:
    run = given_run(world, ExecutionStatus.ERROR)
    service = ResumeService(world.records, world.tasks, world.walker, world.clock)
    with pytest.raises(NotFound):
        service.resume(OTHER, run.task_id, run.id)
    task = world.tasks.get(OWNER, run.task_id)
    assert task is not None
    world.tasks.delete(task.owner, task.id, world.clock.ms)
    with pytest.raises(Conflict):
        service.resume(OWNER, run.task_id, run.id)


def test_walks_are_named_after_execution_resumption_and_revival() -> None:
    run = Yard().given_execution()
    names = [walk_name(replace(run, resumes=n), again) for n in (0, 2) for again in (0, 3)]
    assert names == [run.id, f"{run.id}-3", f"{run.id}-r2", f"{run.id}-r2-3"]
    assert [resumes_of(f"arn:aws:states:x:1:execution:m:{n}") for n in names] == [0, 0, 2, 2]
    assert len(names[-1]) <= 80


def test_the_late_end_of_an_older_walk_ends_nothing() -> None:
    # Given an execution that was resumed after its first walk was stopped by hand
    yard = Yard()
    run = yard.given_execution()
    ended = yard.executions.end(run, ExecutionStatus.ERROR, 1)
    again = yard.executions.reopen(ended, yard.clock.now_ms())
    events = FinishEvents(yard.finishing)
    # When the news of the first walk's end comes late, and then that of the second
    first = events.handle({"detail": status_change(again, run.id)})
    second = events.handle({"detail": status_change(again, walk_name(again))})
    # Then only the second counts
    assert (first["status"], second["status"]) == ("pending", "error")


def status_change(run: Execution, walk: str) -> dict[str, str]:
    fields = f'"taskId":"{run.task_id}","owner":"{run.owner}","version":1'
    return {
        "status": "ABORTED",
        "executionArn": f"arn:aws:states:us-east-1:1:execution:machine:{walk}",
        "input": f'{{"executionId":"{run.id}",{fields}}}',
    }


def test_a_waiting_run_that_is_walked_is_left_to_its_walk() -> None:
    yard = Yard()
    run = yard.given_execution()
    waiting = replace(run, status=ExecutionStatus.WAITING)
    yard.executions.rows[run.task_id, run.id] = waiting
    standard: Plan = replace(PLAN, run_class=RunClass.STANDARD)
    yard.tasks.plans[TASK.id, 1] = standard
    service = ResumeService(yard.executions, yard.tasks, yard.walker, yard.clock)
    assert service.resume(TASK.owner, TASK.id, run.id) == waiting
