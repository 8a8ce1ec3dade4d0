"""Names, ids, edges, cycles, reachability, references."""

from __future__ import annotations

import pytest

from tests.unit.compiler.builders import (
    RUNNER,
    Json,
    Place,
    accepted,
    arrows,
    body,
    code,
    node,
    places,
    refused,
)

BRANCH = node(
    "b",
    "branch",
    {
        "conditions": [
            {"id": "yes", "type": "if", "expression": "true"},
            {"id": "no.way", "type": "else"},
        ]
    },
)


def _graph(names: str, *pairs: Place) -> dict[str, Json]:
    nodes = [BRANCH if name == "b" else code(name) for name in names.split()]
    return body(nodes=nodes, edges=arrows(*pairs))


def test_branches_joins_and_doubled_edges_are_fine() -> None:
    request = _graph(
        "b x y z",
        ("t", "b"),
        ("b.yes", "x"),
        ("b.no.way", "y"),
        ("x", "z"),
        ("y", "z"),
        ("y", "z"),
        ("t", "z"),
    )
    assert len(accepted(request).definition.edges) == 7


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("nowhere", "neither trigger nor node"),
        ("x.yes", "'x' is no branch"),
        ("b.maybe", "no condition 'maybe'"),
        ("q.yes", "neither trigger nor node has the id 'q'"),
        ("b.", "no condition ''"),
    ],
)
def test_an_edge_from_nowhere_is_named(source: str, told: str) -> None:
    (problem,) = refused(_graph("b x", ("t", "b"), ("t", "x"), (source, "x")))
    assert problem.path == "edges[2].source"
    assert told in problem.message


@pytest.mark.parametrize("target", ["nowhere", "t", "b.yes"])
def test_an_edge_to_what_is_no_node_is_named(target: str) -> None:
    assert places(_graph("b", ("t", "b"), ("b", target))) == {
        ("edges[1].target", "INVALID_WORKFLOW")
    }


def test_no_edge_leaves_the_trigger() -> None:
    assert ("edges", "INVALID_WORKFLOW") in places(_graph("x y", ("x", "y")))


def test_a_cycle_is_named_in_the_direction_of_its_edges() -> None:
    (problem,) = refused(_graph("x y z", ("t", "x"), ("x", "y"), ("y", "z"), ("z", "y")))
    assert "y → z → y" in problem.message
    assert problem.path in ("edges[2]", "edges[3]")


def test_a_node_that_follows_itself_is_a_cycle() -> None:
    (problem,) = refused(_graph("x", ("t", "x"), ("x", "x")))
    assert "x → x" in problem.message


def test_a_cycle_through_an_arm_of_a_branch_is_found() -> None:
    (problem,) = refused(_graph("b x", ("t", "b"), ("b.yes", "x"), ("x", "b")))
    assert "cycle" in problem.message


def test_a_cycle_of_thousand_nodes_is_told_in_short() -> None:
    names = [f"n{i}" for i in range(1000)]
    ring = [*zip(names, [*names[1:], names[0]], strict=True)]
    (problem,) = refused(_graph(" ".join(names), ("t", "n0"), *ring))
    assert len(problem.message) < 300


def test_nodes_that_nothing_leads_to_are_named() -> None:
    assert places(_graph("x y z", ("t", "x"), ("y", "z"))) == {
        ("nodes[1]", "INVALID_WORKFLOW"),
        ("nodes[2]", "INVALID_WORKFLOW"),
    }


def test_ids_are_distinct_and_without_a_dot_and_not_the_triggers() -> None:
    nodes = [code("x"), {**code("x"), "name": "other"}, code("t"), {**code("p.q"), "name": "pq"}]
    edges = arrows(("t", "x"), ("t", "x"))
    edges[1]["id"] = edges[0]["id"]
    assert places(body(nodes=nodes, edges=edges)) == {
        ("nodes[1].id", "INVALID_WORKFLOW"),
        ("nodes[2].id", "INVALID_WORKFLOW"),
        ("nodes[3].id", "INVALID_WORKFLOW"),
        ("edges[1].id", "INVALID_WORKFLOW"),
    }


def test_a_triggers_id_may_have_a_dot_unless_it_reads_as_a_condition() -> None:
    trigger = {"id": "b.yes", "name": "start", "type": "manual", "config": {}}
    fine = body(trigger=trigger, edges=arrows(("b.yes", "a")))
    assert accepted(fine).definition.trigger.id == "b.yes"
    request = _graph("b x", ("b.yes", "b"), ("b.yes", "x")) | {"trigger": trigger}
    assert ("trigger.id", "INVALID_WORKFLOW") in places(request)


def test_a_broken_node_does_not_hide_dangling_edges_nor_blame_its_conditions() -> None:
    broken = node("b", "branch", {"conditions": "none"})
    edges = arrows(("t", "b"), ("b.yes", "x"), ("x", "nowhere"))
    assert {path for path, _ in places(body(nodes=[broken, code("x")], edges=edges))} == {
        "nodes[0].config.conditions",
        "edges[2].target",
    }


@pytest.mark.parametrize(
    "name",
    [
        "1a",
        "a-b",
        "a b",
        "ä",
        "",
        " ",
        "class",
        "Class",
        "CLASS",
        "_class",
        "if",
        "state",
        "$state",
        "settings",
        "context",
        "apContext",
        "trigger",
        "fetch",
        "x" * 256,
        "aa_sender",
        "parseUnit",
    ],
)
def test_names_that_no_node_can_have(name: str) -> None:
    request = body(nodes=[{**code("a"), "name": name}])
    if name.strip():
        assert places(request) == {("nodes[0].name", "WORKFLOWS_BAD_NODE")}
    else:
        assert accepted(request).definition.nodes[0].name == "a"


@pytest.mark.parametrize("name", ["a", "_a", "$a", "a1", "A_b$c", "cLass", "x" * 255, "trigger1"])
def test_names_that_a_node_can_have(name: str) -> None:
    draft = accepted(body(nodes=[{**code("a"), "name": name}]))
    assert draft.definition.nodes[0].name == name


def test_a_trigger_can_be_called_trigger_and_must_be_called_something() -> None:
    def named(name: Json) -> dict[str, Json]:
        return body(trigger={"id": "t", "name": name, "type": "manual", "config": {}})

    assert accepted(named("trigger")).definition.trigger.name == "trigger"
    assert places(named("")) == {("trigger.name", "MISSING_REQUIRED_FIELD")}
    assert places(named("for")) == {("trigger.name", "WORKFLOWS_BAD_TRIGGER")}
    assert places(named(7)) == {("trigger.name", "WORKFLOWS_BAD_TRIGGER")}


def test_an_id_that_serves_as_name_must_not_be_the_engines() -> None:
    nameless = {"id": "state", "type": "customCode", "config": {"source": "1"}}
    found = places(body(nodes=[nameless], edges=arrows(("t", "state"))))
    assert found == {("nodes[0].id", "WORKFLOWS_BAD_NODE")}


def test_names_are_distinct_as_variables() -> None:
    nodes = [
        {**code("a"), "name": "x"},
        {**code("b"), "name": "$x"},
        {**code("c"), "name": "start"},
    ]
    request = body(
        nodes=nodes,
        edges=arrows(("t", "a"), ("a", "b"), ("b", "c")),
        inputVariables={"settings": {"runner": RUNNER}, "limit": 1},
    )
    assert places(request) == {
        ("nodes[1].name", "WORKFLOWS_BAD_NODE"),
        ("nodes[2].name", "WORKFLOWS_BAD_NODE"),
    }


def test_an_input_variable_can_not_hide_a_node_the_trigger_or_the_engine() -> None:
    variables = {"settings": {"runner": RUNNER}, "a": 1, "start": 2, "context": 3}
    assert places(body(inputVariables=variables)) == {
        ("nodes[0].name", "WORKFLOWS_BAD_NODE"),
        ("trigger.name", "WORKFLOWS_BAD_TRIGGER"),
        ("inputVariables.context", "WORKFLOWS_BAD_PAYLOAD"),
    }


def _reads(kind: str, config: Json) -> dict[str, Json]:
    """first → reads → later, other beside them."""
    return body(
        nodes=[code("first"), node("reads", kind, config), code("later"), code("other")],
        edges=arrows(("t", "first"), ("first", "reads"), ("reads", "later"), ("t", "other")),
    )


def _url(url: str) -> dict[str, Json]:
    return _reads("restApi", {"url": url})


@pytest.mark.parametrize(
    "expression",
    [
        "later.data",
        "other.data.x[0]",
        "reads.data",
        "later.data + 1",
        "first.data + later.data",
        "later.data.map(x => x.id)",
        "[later.data]",
        "first.data ? other.data : 0",
    ],
)
def test_a_template_on_a_node_that_does_not_run_before_is_refused(expression: str) -> None:
    (problem,) = refused(_url(f"https://x.org/{{{{{expression}}}}}"))
    assert (problem.path, problem.code) == ("nodes[1].config.url", "INVALID_NODE_CONFIG")
    assert "does not run before" in problem.message


@pytest.mark.parametrize(
    "expression",
    [
        "first.data",
        "start.data.later",
        "first.later.data",
        "unknown.data",
        "'later.data'",
        "first.data.map(later => later.id)",
        "typeof later === 'undefined'",
        "({later: 1}).later",
        "first.data /* later */",
        "",
    ],
)
def test_a_template_that_may_be_right_is_accepted(expression: str) -> None:
    assert accepted(_url(f"https://x.org/{{{{{expression}}}}}")).definition.nodes


@pytest.mark.parametrize(
    ("kind", "config", "field"),
    [
        ("filter", {"inputVariable": "later.data", "expression": "value > 1"}, "inputVariable"),
        ("filter", {"inputVariable": "first.data", "expression": "later.data > 1"}, "expression"),
        (
            "branch",
            {"conditions": [{"id": "y", "type": "if", "expression": "later.data > 1"}]},
            "conditions[0].expression",
        ),
        (
            "loop",
            {
                "inputVariable": "first.data",
                "runner": {"type": "restApi", "config": {"url": "https://x.org/{{later.data}}"}},
            },
            "runner.config.url",
        ),
    ],
)
def test_other_places_where_expressions_stand(kind: str, config: Json, field: str) -> None:
    assert places(_reads(kind, config)) == {(f"nodes[1].config.{field}", "INVALID_NODE_CONFIG")}


def test_a_loops_own_names_are_not_nodes() -> None:
    config = {
        "inputVariable": "first.data",
        "iterVal": "later",
        "runner": {"type": "restApi", "config": {"url": "https://x.org/{{later.data}}"}},
    }
    assert accepted(_reads("loop", config)).definition.nodes


def test_scripts_may_name_what_they_like() -> None:
    source = {"source": "const later = 1; return later + (typeof other)"}
    assert accepted(_reads("customCode", source)).definition.nodes
