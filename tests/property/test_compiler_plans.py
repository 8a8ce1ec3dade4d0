"""What holds for every plan, and codecs."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.walk_input import walk_input
from task_engine.model.codec import (
    definition_from_json,
    definition_to_json,
    plan_from_json,
    plan_to_json,
)
from task_engine.model.edge import Edge
from task_engine.model.node import Node, NodeType, Retry
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerType

from tests.property.graphs import random_definition

SEEDS = st.integers(0, 2**32)
_TEXT = st.text(max_size=8)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=8,
)
_CONFIG = st.dictionaries(_TEXT, _JSON, max_size=3)
_RETRY = st.one_of(st.none(), st.builds(Retry, st.integers(1, 5), st.floats(0, 60)))
_DEFINITIONS = st.builds(
    Definition,
    st.builds(Trigger, _TEXT, _TEXT, st.sampled_from(TriggerType), _CONFIG),
    st.lists(
        st.builds(Node, _TEXT, _TEXT, st.sampled_from(NodeType), _CONFIG, _RETRY), max_size=4
    ).map(tuple),
    st.lists(st.builds(Edge, _TEXT, _TEXT, _TEXT), max_size=4).map(tuple),
    _CONFIG,
)


@given(_DEFINITIONS)
@settings(deadline=None)
def test_definitions_survive_storage(definition: Definition) -> None:
    stored = json.loads(json.dumps(definition_to_json(definition)))
    assert definition_from_json(stored) == definition


@given(SEEDS)
@settings(deadline=None)
def test_plans_survive_storage(seed: int) -> None:
    plan = compile_definition(random_definition(seed))
    stored = json.loads(json.dumps(plan_to_json(plan)))
    assert plan_from_json(stored) == plan
    assert list(plan_from_json(stored).nodes) == list(plan.nodes)


@given(SEEDS)
@settings(deadline=None)
def test_every_node_stands_in_one_lane_after_all_that_lead_to_it(seed: int) -> None:
    definition = random_definition(seed)
    plan = compile_definition(definition)
    place = {
        node: (stage, position)
        for stage, group in enumerate(plan.stages)
        for lane in group.lanes
        for position, node in enumerate(lane.nodes)
    }
    # Each node is in exactly one lane, and in the plan
    listed = [node for group in plan.stages for lane in group.lanes for node in lane.nodes]
    assert sorted(listed) == sorted(plan.nodes) == sorted(node.id for node in definition.nodes)
    # Each real predecessor is in an earlier stage, or before it in the same lane
    for edge in definition.edges:
        source = edge.source.partition(".")[0]
        if source in place:
            assert place[source] < place[edge.target]
            assert plan.nodes[source].ordinal < plan.nodes[edge.target].ordinal
    assert sorted(node.ordinal for node in plan.nodes.values()) == [*range(1, len(listed) + 1)]


@given(SEEDS)
@settings(deadline=None)
def test_lanes_have_all_their_sources_and_can_not_be_longer(seed: int) -> None:
    definition = random_definition(seed)
    plan = compile_definition(definition)
    leaving: dict[str, set[tuple[str, str]]] = {}
    entering: dict[str, set[str]] = {}
    for edge in definition.edges:
        leaving.setdefault(edge.source.partition(".")[0], set()).add((edge.source, edge.target))
        entering.setdefault(edge.target, set()).add(edge.source)
    for stage in plan.stages:
        for lane in stage.lanes:
            assert set(lane.sources) == entering[lane.nodes[0]]
            for node, after in zip(lane.nodes, lane.nodes[1:], strict=False):
                assert leaving[node] == {(node, after)}
                assert entering[after] == {node}
            last = lane.nodes[-1]
            onward = leaving.get(last, set())
            if plan.nodes[last].type is not NodeType.BRANCH and len(onward) == 1:
                ((source, target),) = onward
                assert source != last or entering[target] != {last}


@given(SEEDS)
@settings(deadline=None)
def test_the_order_of_edges_does_not_change_what_waits_for_what(seed: int) -> None:
    definition = random_definition(seed)
    edges = list(definition.edges)
    random.Random(seed).shuffle(edges)
    other = Definition(definition.trigger, definition.nodes, tuple(edges))

    def shape(given: Definition) -> list[set[tuple[frozenset[str], tuple[str, ...]]]]:
        return [
            {(frozenset(lane.sources), lane.nodes) for lane in stage.lanes}
            for stage in compile_definition(given).stages
        ]

    assert shape(definition) == shape(other)


@given(SEEDS)
@settings(deadline=None)
def test_the_walk_input_is_the_plans_stages(seed: int) -> None:
    plan = compile_definition(random_definition(seed))
    document = json.loads(json.dumps(walk_input(plan)))
    assert document["trigger"] == plan.trigger.id
    assert [
        (
            stage["fan"],
            [(lane["sources"], [n["id"] for n in lane["nodes"]]) for lane in stage["lanes"]],
        )
        for stage in document["stages"]
    ] == [
        (stage.fan, [(list(lane.sources), list(lane.nodes)) for lane in stage.lanes])
        for stage in plan.stages
    ]


def test_a_foreign_document_is_no_plan() -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        plan_from_json({"version": 1})
