"""Walks on Step Functions: started once, waited for, brought back to life."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from task_engine.aws.walker import StepFunctionsWalker
from task_engine.errors import EngineError
from task_engine.model.execution import Execution
from task_engine.model.plan import Plan, RunClass

from infra_cdk.local.waiting import wait_until
from tests.fakes.clock import START_MS
from tests.integration.world import World, a_plan

QUICK = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
SLOW = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}}
ENDLESS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
BROKEN = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Broken"}}}
SLOW_AND_BROKEN = {
    "StartAt": "Wait",
    "States": {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "No"}, **BROKEN["States"]},  # type: ignore[dict-item]
}
STANDARD, EXPRESS = a_plan(RunClass.STANDARD), a_plan(RunClass.EXPRESS)
MINUTE_MS = 60_000

Machines = Callable[[dict[str, Any]], StepFunctionsWalker]


@pytest.fixture
def execution(world: World) -> Execution:
    return world.given_execution(world.given_task())


@pytest.fixture
def walking(world: World, execution: Execution) -> Machines:
    """A walker whose two machines, made for this test alone, do what a definition says."""

    def make(definition: dict[str, Any]) -> StepFunctionsWalker:
        made = {
            f"WALK_{kind}_ARN": world.boto.client("stepfunctions").create_state_machine(
                name=f"{kind}-{execution.id}",
                type=kind,
                definition=json.dumps(definition),
                roleArn="arn:aws:iam::000000000000:role/walk",
            )["stateMachineArn"]
            for kind in ("EXPRESS", "STANDARD")
        }
        world.settings = replace(world.settings, names={**world.settings.names, **made})
        return StepFunctionsWalker(world.client("states"), world.settings)

    return make


def walks(world: World) -> list[dict[str, Any]]:
    states = world.boto.client("stepfunctions")
    arn = world.settings.name("WALK_STANDARD_ARN")
    found = states.list_executions(stateMachineArn=arn)["executions"]
    return [states.describe_execution(executionArn=f["executionArn"]) for f in found]


def stop_all(world: World) -> None:
    for walk in walks(world):
        world.boto.client("stepfunctions").stop_execution(executionArn=walk["executionArn"])


def test_a_walk_is_named_by_its_execution_and_given_ids_only(
    world: World, execution: Execution, walking: Machines
) -> None:
    walking(QUICK).start(execution, STANDARD)
    (walk,) = walks(world)
    assert walk["name"] == execution.id
    assert json.loads(walk["input"]) == {
        "executionId": execution.id,
        "taskId": execution.task_id,
        "owner": execution.owner,
        "version": 1,
        "trigger": "t",
        "stages": [
            {
                "fan": False,
                "lanes": [{"sources": ["t"], "nodes": [{"id": "n", "type": "customCode"}]}],
            }
        ],
    }


def test_starting_again_is_harmless(world: World, execution: Execution, walking: Machines) -> None:
    walker = walking(SLOW)
    walker.start(execution, STANDARD)
    walker.start(execution, STANDARD)
    assert len(walks(world)) == 1


@pytest.mark.parametrize("plan", [STANDARD, EXPRESS])
@pytest.mark.parametrize("definition", [QUICK, BROKEN])
def test_a_blocking_run_ends_with_its_walk(
    execution: Execution, walking: Machines, plan: Plan, definition: dict[str, Any]
) -> None:
    assert walking(definition).run(execution, plan, 10, lambda: True)


@pytest.mark.parametrize("plan", [STANDARD, EXPRESS])
def test_a_blocking_run_that_takes_longer_says_so_and_is_asked_for_once(
    world: World, execution: Execution, walking: Machines, plan: Plan
) -> None:
    walker = walking(SLOW)
    world.operations()
    assert not walker.run(execution, plan, 0.7, lambda: False)
    starts = [name for name in world.operations() if name.startswith("Start")]
    assert len(starts) == 1


def test_a_machine_that_is_not_there_is_an_error(
    world: World, execution: Execution, walking: Machines
) -> None:
    walking(QUICK)
    gone = {name: world.settings.name(name) + "x" for name in ("WALK_EXPRESS_ARN",)}
    settings = replace(world.settings, names={**world.settings.names, **gone})
    with pytest.raises(EngineError, match="StateMachineDoesNotExist"):
        StepFunctionsWalker(world.client("states"), settings).run(
            execution, EXPRESS, 5, lambda: True
        )


def test_a_standard_walk_is_revived_three_times_and_not_while_it_goes_on(
    world: World, execution: Execution, walking: Machines
) -> None:
    walker = walking(SLOW_AND_BROKEN)
    for number in range(1, 5):
        assert walker.revive(execution, STANDARD, START_MS)
        assert walker.revive(execution, STANDARD, START_MS)
        assert len(walks(world)) == number
        wait_until(lambda: {walk["status"] for walk in walks(world)} == {"FAILED"}, "its end", 10)
    assert not walker.revive(execution, STANDARD, START_MS)
    names = {walk["name"] for walk in walks(world)}
    assert names == {execution.id, *(f"{execution.id}-{n}" for n in (1, 2, 3))}


def test_a_walk_that_was_stopped_by_hand_is_not_revived(
    world: World, execution: Execution, walking: Machines
) -> None:
    walker = walking(ENDLESS)
    walker.start(execution, STANDARD)
    stop_all(world)
    assert not walker.revive(execution, STANDARD, START_MS)
    assert len(walks(world)) == 1


def test_an_express_walk_is_revived_by_its_age(
    world: World, execution: Execution, walking: Machines
) -> None:
    walker = walking(QUICK)
    world.operations()
    assert walker.revive(execution, EXPRESS, START_MS + 6 * MINUTE_MS)
    assert world.operations() == ["StartExecution"]
    assert not walker.revive(execution, EXPRESS, START_MS + 30 * MINUTE_MS)
    assert world.operations() == []
