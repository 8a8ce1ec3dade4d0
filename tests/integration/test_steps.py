"""Steps: claimed once, stored once, loaded in one call, large ones behind a claim check."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.errors import NotFound
from task_engine.model.execution import Outcome, Step, StepError, StepStatus
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.secret import SecretScope
from task_engine.run.ports import Claim, Run, StepKey

from tests.integration.world import World, run_of

KEY = StepKey(1, "n")
LEASE_MS = 60_000


@pytest.fixture
def run(world: World) -> Run:
    return run_of(world.given_execution(world.given_task(), {"amount": 3}))


def a_step(run: Run, data: JsonValue = 1, node: str = "n", ordinal: int = 1) -> Step:
    return Step(
        execution_id=run.execution_id,
        node_id=node,
        ordinal=ordinal,
        name="work",
        type=NodeType.CUSTOM_CODE,
        status=StepStatus.SUCCESS,
        start_at=10,
        end_at=20,
        tokens=(node, f"{node}.arm"),
        outcome=Outcome(data=data, log="a line", conditions=("arm",), metadata={"status": 200}),
    )


def test_a_claim_is_one_conditional_write(world: World, run: Run) -> None:
    world.operations()
    claim = world.steps().claim(run, KEY, LEASE_MS, 1000)
    assert claim == Claim(attempt=1)
    assert world.operations() == ["UpdateItem"]


def test_the_same_walk_takes_its_claim_over_at_once(world: World, run: Run) -> None:
    steps = world.steps()
    steps.claim(run, KEY, LEASE_MS, 1000)
    assert steps.claim(run, KEY, LEASE_MS, 1001) == Claim(attempt=2, interrupted=True)


def test_another_walk_waits_for_the_end_of_the_lease(world: World, run: Run) -> None:
    steps = world.steps()
    other = replace(run, walk="walk-2")
    steps.claim(run, KEY, LEASE_MS, 1000)
    assert steps.claim(other, KEY, LEASE_MS, 2000) == Claim(attempt=1, held_ms=LEASE_MS - 1000)
    late = steps.claim(other, KEY, LEASE_MS, 1001 + LEASE_MS)
    assert late == Claim(attempt=2, interrupted=True)


def test_a_released_claim_was_not_interrupted(world: World, run: Run) -> None:
    steps = world.steps()
    steps.claim(run, KEY, LEASE_MS, 1000)
    steps.release(run, KEY)
    other = replace(run, walk="walk-2")
    assert steps.claim(other, KEY, LEASE_MS, 1001) == Claim(attempt=2)


def test_a_walk_that_lost_its_claim_can_not_release_it(world: World, run: Run) -> None:
    steps = world.steps()
    other = replace(run, walk="walk-2")
    steps.claim(run, KEY, LEASE_MS, 1000)
    steps.claim(other, KEY, LEASE_MS, 1001 + LEASE_MS)
    steps.release(run, KEY)
    held = steps.claim(run, KEY, LEASE_MS, 1002 + LEASE_MS)
    assert held.held_ms > 0


def test_a_stored_step_answers_every_later_claim(world: World, run: Run) -> None:
    steps = world.steps()
    steps.claim(run, KEY, LEASE_MS, 1000)
    steps.store(run, a_step(run))
    stored = steps.claim(replace(run, walk="walk-2"), KEY, LEASE_MS, 2000).stored
    assert stored is not None
    assert stored.tokens == ("n", "n.arm")
    assert stored.status is StepStatus.SUCCESS


def test_the_first_result_stands(world: World, run: Run) -> None:
    steps = world.steps()
    first = a_step(run, {"first": True})
    assert steps.store(run, first) == first
    assert steps.store(run, a_step(run, {"second": True})) == first
    assert steps.steps(run.execution_id) == [first]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(data=None),
        Outcome(has_data=False, error=StepError("INVALID_NODE_CONFIG", "no", retryable=True)),
        Outcome(data=[1, 2.5, "ü \ud800", {"a": None}], display="other", has_display=True),
        Outcome(data=10**30),
    ],
)
def test_outcomes_come_back_as_they_were(world: World, run: Run, outcome: Outcome) -> None:
    step = replace(a_step(run), outcome=outcome)
    world.steps().store(run, step)
    assert world.steps().steps(run.execution_id) == [step]


def test_a_large_result_goes_to_the_blob_store(world: World, run: Run) -> None:
    data: JsonValue = [f"{n:x}{n * 7919:x}" for n in range(3000)]
    step = a_step(run, data)
    world.steps().store(run, step)
    assert any(key.startswith(f"steps/{run.execution_id}/") for key in world.blobs())
    assert world.steps().load(run, [KEY], []).steps["n"] == step


def test_load_is_one_call_for_header_steps_and_secrets(world: World, run: Run) -> None:
    world.secrets().put(run.owner, SecretScope.USER, "", "API", "sesame", 1)
    world.steps().store(run, a_step(run))
    steps = world.steps()
    world.operations()
    loaded = steps.load(run, [KEY, StepKey(2, "absent")], ["API"])
    assert world.operations() == ["BatchGetItem", "Decrypt"]
    assert loaded.execution.trigger.data == {"amount": 3}
    assert list(loaded.steps) == ["n"]
    assert loaded.secrets["API"].reveal() == "sesame"


def test_what_is_in_memory_is_not_read_again(world: World, run: Run) -> None:
    world.secrets().put(run.owner, SecretScope.USER, "", "API", "sesame", 1)
    steps = world.steps()
    steps.load(run, [], ["API"])
    world.operations()
    steps.load(run, [], [])
    assert world.operations() == []
    steps.load(run, [], ["API"])
    assert world.operations() == ["BatchGetItem"]


def test_more_steps_than_one_batch_holds(world: World, run: Run) -> None:
    steps = world.steps()
    wanted = [StepKey(n, f"n{n}") for n in range(1, 121)]
    for key in wanted[:3] + wanted[-3:]:
        steps.store(run, a_step(run, key.ordinal, key.node_id, key.ordinal))
    loaded = steps.load(run, wanted, [])
    assert {s.outcome.data for s in loaded.steps.values()} == {1, 2, 3, 118, 119, 120}


def test_a_claim_is_no_result(world: World, run: Run) -> None:
    steps = world.steps()
    steps.claim(run, KEY, LEASE_MS, 1000)
    assert steps.load(run, [KEY], []).steps == {}
    assert [s.status for s in steps.steps(run.execution_id)] == [StepStatus.RUNNING]


def test_an_unknown_execution_is_not_found(world: World, run: Run) -> None:
    with pytest.raises(NotFound):
        world.steps().load(replace(run, execution_id="0" * 26), [], [])


def test_steps_come_by_ordinal_without_chunks(world: World, run: Run) -> None:
    steps = world.steps()
    for ordinal in (10, 2, 1):
        steps.store(run, a_step(run, node=f"n{ordinal}", ordinal=ordinal))
    chunk = StepKey(2, "n2", 0)
    steps.claim(run, chunk, LEASE_MS, 1)
    steps.store_chunk(run, chunk, [1], finished=True)
    assert [s.ordinal for s in steps.steps(run.execution_id)] == [1, 2, 10]


def test_an_unfinished_chunk_keeps_its_items_and_its_claim_is_free(world: World, run: Run) -> None:
    steps = world.steps()
    chunk = replace(KEY, chunk=3)
    steps.claim(run, chunk, LEASE_MS, 1)
    assert steps.chunk_items(run, chunk) == []
    steps.store_chunk(run, chunk, [{"index": 0}], finished=False)
    again = steps.claim(replace(run, walk="walk-2"), chunk, LEASE_MS, 2)
    assert again == Claim(attempt=2)
    assert steps.chunk_items(run, chunk) == [{"index": 0}]
    assert steps.chunks(run, KEY) == {}


def test_finished_chunks_are_read_by_number(world: World, run: Run) -> None:
    steps = world.steps()
    large: list[JsonValue] = [f"{n * 104729:x}" for n in range(4000)]
    small: list[JsonValue] = [1]
    for number, items in ((1, large), (0, small)):
        chunk = replace(KEY, chunk=number)
        steps.claim(run, chunk, LEASE_MS, 1)
        steps.store_chunk(run, chunk, items, finished=True)
    other = StepKey(1, "nn", 0)
    steps.claim(run, other, LEASE_MS, 1)
    steps.store_chunk(run, other, [9], finished=True)
    assert steps.chunks(run, KEY) == {0: [1], 1: large}
    assert steps.claim(run, replace(KEY, chunk=0), LEASE_MS, 2).stored is not None
