"""Random plans, walked by the state machine and in one process, run what the rule says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.walk_input import walk_input
from task_engine.model.codec import (
    definition_from_json,
    definition_to_json,
    plan_from_json,
    plan_to_json,
)
from task_engine.model.node import NodeType
from task_engine.model.plan import Plan
from task_engine.run.in_process import InProcessWalker
from task_engine.run.node_runner import Answer
from task_engine.run.ports import Run

from tests.property.graphs import chosen_arms, expected_tokens, random_definition
from tests.unit.walker.machine import Walked, walk

SEEDS = range(150)
RUN = Run("e", "k", "0x1", 1, "w")


@dataclass
class Answering:
    """A node runner that only answers, and remembers the order."""

    arms: dict[str, list[str]]
    order: list[str]

    def handle(self, event: dict[str, object], remaining_seconds: float) -> Answer:
        node = str(event["nodeId"])
        self.order.append(node)
        return {"next": "done", "tokens": [node, *(f"{node}.{a}" for a in self.arms.get(node, []))]}


def _answers(arms: dict[str, list[str]]) -> dict[str, list[dict[str, object]]]:
    return {
        node: [{"next": "done", "tokens": [node, *(f"{node}.{arm}" for arm in taken)]}]
        for node, taken in arms.items()
    }


@pytest.fixture(scope="module")
def by_machine() -> list[Walked]:
    """All seeds in one process of the reference implementation."""
    cases = []
    for seed in SEEDS:
        definition = random_definition(seed)
        start = {"executionId": "e", "taskId": "k", "owner": "0x1", "version": 1}
        plan = walk_input(compile_definition(definition))
        cases.append(
            {"input": {**start, **plan}, "answers": _answers(chosen_arms(definition, seed))}
        )
    return walk(cases)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_walkers_emit_what_the_rule_says(by_machine: list[Walked], seed: int) -> None:
    # Given
    definition = random_definition(seed)
    arms = chosen_arms(definition, seed)
    # When
    order: list[str] = []
    runner = Answering(arms, order)
    runners = dict.fromkeys((NodeType.BRANCH, NodeType.CUSTOM_CODE), runner)
    plan = compile_definition(definition)
    tokens = InProcessWalker(runners, lambda _: None).walk(RUN, plan)  # type: ignore[arg-type]
    # Then
    expected = expected_tokens(definition, arms)
    assert tokens == expected
    assert set(by_machine[seed].tokens) == expected
    ran = [name for name in by_machine[seed].invocations if name != "finish"]
    assert sorted(ran) == sorted(order), "each reached node runs exactly once"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_starts_after_all_its_predecessors(seed: int) -> None:
    definition = random_definition(seed)
    plan = compile_definition(definition)
    place = _places(plan)
    for edge in definition.edges:
        source = edge.source.partition(".")[0]
        if source != "t":
            assert place[source] < place[edge.target]


def _places(plan: Plan) -> dict[str, tuple[int, int, int]]:
    """(stage, lane, position): lanes of one stage must not depend on each other."""
    places: dict[str, tuple[int, int, int]] = {}
    for level, stage in enumerate(plan.stages):
        for number, lane in enumerate(stage.lanes):
            for position, node in enumerate(lane.nodes):
                places[node] = (level, number, position)
    return places


@pytest.mark.parametrize("seed", SEEDS)
def test_lanes_of_a_stage_are_independent(seed: int) -> None:
    definition = random_definition(seed)
    place = _places(compile_definition(definition))
    for edge in definition.edges:
        source = edge.source.partition(".")[0]
        if source != "t":
            (stage, lane, _), (later_stage, later_lane, _) = place[source], place[edge.target]
            assert stage < later_stage or lane == later_lane


@pytest.mark.parametrize("seed", SEEDS)
def test_definitions_and_plans_survive_storage(seed: int) -> None:
    definition = random_definition(seed)
    plan = compile_definition(definition)
    assert definition_from_json(definition_to_json(definition)) == definition
    assert plan_from_json(plan_to_json(plan)) == plan
    assert compile_definition(definition) == plan
