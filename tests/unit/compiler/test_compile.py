"""Definition → plan: order, lanes, stages, what is read, run class."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.walk_input import walk_input
from task_engine.errors import InvalidRequest
from task_engine.model.node import NodeType
from task_engine.model.plan import Plan, RunClass

from tests.unit.compiler.builders import Place, definition, plain, typed

Lanes = list[list[tuple[tuple[str, ...], tuple[str, ...]]]]


def _plan(names: str, *pairs: Place) -> Plan:
    return compile_definition(definition([plain(name) for name in names.split()], *pairs))


def _lanes(plan: Plan) -> Lanes:
    return [[(lane.sources, lane.nodes) for lane in stage.lanes] for stage in plan.stages]


def _branch(node_id: str = "b") -> tuple[str, NodeType]:
    return node_id, NodeType.BRANCH


def _mixed(kinds: dict[str, NodeType], names: str, *pairs: Place) -> Plan:
    nodes = [typed(name, kinds[name]) if name in kinds else plain(name) for name in names.split()]
    return compile_definition(definition(nodes, *pairs))


def test_a_chain_is_one_lane() -> None:
    plan = _plan("a b c", ("t", "a"), ("a", "b"), ("b", "c"))
    assert _lanes(plan) == [[(("t",), ("a", "b", "c"))]]
    assert plan.stages[0].fan is False


def test_nodes_side_by_side_are_a_fan() -> None:
    plan = _plan("a b c", ("t", "a"), ("t", "b"), ("t", "c"))
    assert _lanes(plan) == [[(("t",), ("a",)), (("t",), ("b",)), (("t",), ("c",))]]
    assert plan.stages[0].fan is True


def test_a_join_waits_a_stage_for_the_longest_way_to_it() -> None:
    # Given a diamond with a longer side
    plan = _plan(
        "a b c d z", ("t", "a"), ("a", "b"), ("a", "c"), ("c", "d"), ("b", "z"), ("d", "z")
    )
    # Then the join is alone, after both sides
    assert _lanes(plan) == [
        [(("t",), ("a",))],
        [(("a",), ("b",)), (("a",), ("c", "d"))],
        [(("b", "d"), ("z",))],
    ]


def test_a_node_with_an_edge_from_the_trigger_too_still_waits_for_its_predecessor() -> None:
    plan = _plan("a z", ("t", "a"), ("t", "z"), ("a", "z"))
    assert _lanes(plan) == [[(("t",), ("a",))], [(("t", "a"), ("z",))]]


def test_doubled_edges_count_once() -> None:
    plan = _plan("a b", ("t", "a"), ("t", "a"), ("a", "b"), ("a", "b"))
    assert _lanes(plan) == [[(("t",), ("a", "b"))]]


def test_arms_of_a_branch_begin_lanes_of_their_own() -> None:
    plan = _mixed(
        {"b": NodeType.BRANCH},
        "b yes then no",
        ("t", "b"),
        ("b.y", "yes"),
        ("yes", "then"),
        ("b.n", "no"),
    )
    assert _lanes(plan) == [
        [(("t",), ("b",))],
        [(("b.y",), ("yes", "then")), (("b.n",), ("no",))],
    ]


def test_an_ordinary_edge_of_a_branch_ends_its_lane_too() -> None:
    plan = _mixed({"b": NodeType.BRANCH}, "a b c", ("t", "a"), ("a", "b"), ("b", "c"))
    assert _lanes(plan) == [[(("t",), ("a", "b"))], [(("b",), ("c",))]]


def test_what_follows_an_await_is_in_no_lane_with_it() -> None:
    plan = _mixed({"b": NodeType.AWAIT}, "a b c", ("t", "a"), ("a", "b"), ("b", "c"))
    assert _lanes(plan) == [[(("t",), ("a", "b"))], [(("b",), ("c",))]]


def test_a_node_that_stops_on_errors_ends_its_lane() -> None:
    nodes = [plain("a"), replace(plain("b"), stops=True), plain("c")]
    plan = compile_definition(definition(nodes, ("t", "a"), ("a", "b"), ("b", "c")))
    assert _lanes(plan) == [[(("t",), ("a", "b"))], [(("b",), ("c",))]]
    assert plan.nodes["b"].stops is True


def test_a_node_that_two_arms_lead_to_waits_for_both_branches() -> None:
    # Given two branches one after another, both leading to z
    plan = _mixed(
        {"b": NodeType.BRANCH, "d": NodeType.BRANCH},
        "b d z",
        ("t", "b"),
        ("b.y", "d"),
        ("b.n", "z"),
        ("d.y", "z"),
    )
    # Then z comes after the second
    assert _lanes(plan) == [
        [(("t",), ("b",))],
        [(("b.y",), ("d",))],
        [(("b.n", "d.y"), ("z",))],
    ]


def test_a_node_reached_by_an_arm_and_by_an_ordinary_edge_has_both_sources() -> None:
    plan = _mixed({"b": NodeType.BRANCH}, "b c", ("t", "b"), ("b", "c"), ("b.y", "c"))
    assert _lanes(plan)[1] == [(("b", "b.y"), ("c",))]


def test_condition_ids_may_have_dots() -> None:
    plan = _mixed({"b": NodeType.BRANCH}, "b c", ("t", "b"), ("b.x.y", "c"))
    assert _lanes(plan)[1] == [(("b.x.y",), ("c",))]


def test_an_orphan_is_a_root() -> None:
    plan = _plan("a lonely", ("t", "a"))
    assert _lanes(plan) == [[(("t",), ("a",)), (("t",), ("lonely",))]]


@pytest.mark.parametrize("kind", [NodeType.LOOP, NodeType.AWAIT])
def test_a_loop_or_an_await_makes_no_fan(kind: NodeType) -> None:
    plan = _mixed({"a": kind}, "a b", ("t", "a"), ("t", "b"))
    assert plan.stages[0].fan is False


def test_ordinals_follow_the_topological_order_from_one() -> None:
    plan = _plan("c b a", ("t", "a"), ("a", "b"), ("b", "c"))
    assert {name: node.ordinal for name, node in plan.nodes.items()} == {"a": 1, "b": 2, "c": 3}
    assert list(plan.nodes) == ["a", "b", "c"]


def test_the_same_definition_gives_the_same_plan() -> None:
    given = definition(
        [plain("a"), plain("b", "return a.data"), plain("c", "[b.data, a.data]")],
        ("t", "a"),
        ("a", "b"),
        ("b", "c"),
    )
    assert compile_definition(given) == compile_definition(given)


def test_a_node_reads_upstream_nodes_that_it_names_and_no_others() -> None:
    nodes = [
        plain("a"),
        plain("b", "return a.data + later.data + other.data + b.data"),
        plain("later", "{{a.data}} {{ b.data }}"),
        plain("other"),
    ]
    plan = compile_definition(
        definition(nodes, ("t", "a"), ("a", "b"), ("b", "later"), ("t", "other"))
    )
    assert plan.nodes["b"].reads == ("a",)
    assert plan.nodes["later"].reads == ("a", "b")


def test_what_is_read_is_found_under_the_other_spelling_too() -> None:
    nodes = [plain("fetch_price"), plain("use", "{{fetchPrice.data}}")]
    plan = compile_definition(definition(nodes, ("t", "fetch_price"), ("fetch_price", "use")))
    assert plan.nodes["use"].reads == ("fetch_price",)


def test_a_loops_runner_counts_to_what_is_read() -> None:
    runner = {"type": "restApi", "config": {"url": "{{a.data.url}}", "headers": {
        "x-key": "{{apContext.configVars.KEY}}"}}}  # fmt: skip
    nodes = [plain("a"), typed("l", NodeType.LOOP, inputVariable="a.data.items", runner=runner)]
    planned = compile_definition(definition(nodes, ("t", "a"), ("a", "l"))).nodes["l"]
    assert (planned.reads, planned.secrets) == (("a",), ("KEY",))


def test_a_cycle_and_an_edge_from_nowhere_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="cycle: a, b"):
        _plan("a b", ("t", "a"), ("a", "b"), ("b", "a"))
    with pytest.raises(InvalidRequest, match="unknown node"):
        _plan("a", ("t", "a"), ("x", "a"))


@pytest.mark.parametrize("kind", [NodeType.AWAIT, NodeType.CONTRACT_WRITE, NodeType.ETH_TRANSFER])
def test_waits_and_on_chain_writes_are_walked_by_the_standard_machine(kind: NodeType) -> None:
    assert _mixed({"b": kind}, "a b", ("t", "a"), ("a", "b")).run_class is RunClass.STANDARD


def test_a_short_plan_is_walked_by_the_express_machine() -> None:
    assert _plan("a", ("t", "a")).run_class is RunClass.EXPRESS


@pytest.mark.parametrize(("count", "expected"), [(9, RunClass.EXPRESS), (10, RunClass.STANDARD)])
def test_the_longest_way_of_http_nodes_decides(count: int, expected: RunClass) -> None:
    nodes = [typed(f"n{i}", NodeType.REST_API) for i in range(count)]
    pairs = [("t", "n0"), *((f"n{i}", f"n{i + 1}") for i in range(count - 1))]
    assert compile_definition(definition(nodes, *pairs)).run_class is expected
    # But side by side they take no longer than one
    wide = compile_definition(definition(nodes, *(("t", node.id) for node in nodes)))
    assert wide.run_class is RunClass.EXPRESS


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("sequential", "customCode", RunClass.EXPRESS),
        ("Parallel", "restApi", RunClass.EXPRESS),
        (None, "restApi", RunClass.STANDARD),
        ("sequential", "graphqlQuery", RunClass.STANDARD),
        ("parallel", "contractRead", RunClass.STANDARD),
        ("parallel", "contractWrite", RunClass.STANDARD),
    ],
)
def test_a_loops_run_class(mode: str | None, kind: str, expected: RunClass) -> None:
    loop = typed("l", NodeType.LOOP, executionMode=mode, runner={"type": kind, "config": {}})
    assert compile_definition(definition([loop], ("t", "l"))).run_class is expected


def test_the_walk_input_holds_ids_and_types_only() -> None:
    plan = _mixed({"b": NodeType.BRANCH}, "a b c", ("t", "a"), ("a", "b"), ("b.y", "c"))
    assert walk_input(plan) == {
        "trigger": "t",
        "stages": [
            {
                "fan": False,
                "lanes": [
                    {
                        "sources": ["t"],
                        "nodes": [{"id": "a", "type": "customCode"}, {"id": "b", "type": "branch"}],
                    }
                ],
            },
            {
                "fan": True,
                "lanes": [{"sources": ["b.y"], "nodes": [{"id": "c", "type": "customCode"}]}],
            },
        ],
    }
