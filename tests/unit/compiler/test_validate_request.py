"""The request around trigger, nodes and edges."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.compiler.validate import validate_task
from task_engine.errors import InvalidRequest

from tests.unit.compiler.builders import (
    HOUR_MS,
    NOW_MS,
    RUNNER,
    accepted,
    arrows,
    body,
    code,
    node,
    places,
    refused,
    rules,
)


def test_a_correct_request_is_kept_as_it_was_written() -> None:
    # Given odd spellings that mean something
    loop = {
        "inputVariable": "{{a.data}}",
        "iterVal": "item",
        "iterVar": "item",
        "iterKey": "place",
        "runner": {"id": "r", "name": "r", "type": "graphql", "config": GRAPHQL},
    }
    request = body(
        name="orders",
        startAt=NOW_MS,
        expiredAt=NOW_MS + HOUR_MS,
        maxExecution=7,
        trigger={
            "id": "t",
            "name": "tick",
            "type": "cron",
            "config": {"schedules": ["@hourly"], "timezone": "Europe/Berlin"},
        },
        nodes=[code("a"), node("q", "graphql", GRAPHQL), node("l", "loop", loop)],
        edges=arrows(("t", "a"), ("a", "q"), ("q", "l")),
        inputVariables={"settings": {"runner": RUNNER, "x": [1, None]}, "limit": 3},
    )
    # When it is checked
    draft = accepted(request)
    # Then configurations are the author's, types are the contract's
    assert draft.definition.trigger.config == request["trigger"]["config"]
    assert [n.config for n in draft.definition.nodes] == [n["config"] for n in request["nodes"]]
    assert [n.type.value for n in draft.definition.nodes] == ["customCode", "graphqlQuery", "loop"]
    assert [(e.id, e.source, e.target) for e in draft.definition.edges] == [
        ("e0", "t", "a"),
        ("e1", "a", "q"),
        ("e2", "q", "l"),
    ]
    assert draft.definition.input_variables == {
        "settings": {"runner": RUNNER, "x": [1, None], "name": "orders"},
        "limit": 3,
    }
    assert (draft.name, draft.wallet) == ("orders", RUNNER)
    assert (draft.start_at, draft.expired_at) == (NOW_MS, NOW_MS + HOUR_MS)
    assert (draft.max_execution, draft.warnings) == (7, ())


GRAPHQL = {"url": "https://example.org/graphql", "query": "{ a }"}


def test_absent_fields_take_their_defaults() -> None:
    draft = accepted(body())
    assert (draft.name, draft.start_at, draft.expired_at) == ("", 0, 0)
    assert draft.max_execution == 51_840
    assert "name" not in draft.definition.input_variables["settings"]  # type: ignore[operator]


def test_the_requests_name_wins_over_the_settings() -> None:
    settings = {"settings": {"runner": RUNNER, "name": "inner"}}
    assert accepted(body(inputVariables=settings)).name == "inner"
    assert accepted(body(inputVariables=settings, name="outer")).name == "outer"


def test_a_node_without_a_name_is_called_by_its_id() -> None:
    nameless = {"id": "n-1", "type": "customCode", "config": {"source": "1"}}
    draft = accepted(body(nodes=[nameless], edges=arrows(("t", "n-1"))))
    assert draft.definition.nodes[0].name == "n-1"


def test_a_trigger_without_an_id_is_what_the_edges_call_it() -> None:
    trigger = {"name": "start", "type": "manual", "config": {}}
    draft = accepted(body(trigger=trigger, edges=arrows(("begin", "a"))))
    assert draft.definition.trigger.id == "begin"


def test_a_trigger_without_an_id_gets_one_where_the_edges_do_not_agree() -> None:
    trigger = {"name": "start", "type": "manual", "config": {}}
    request = body(trigger=trigger, edges=arrows(("x", "a"), ("y", "a")))
    assert places(request) == {
        ("edges[0].source", "INVALID_WORKFLOW"),
        ("edges[1].source", "INVALID_WORKFLOW"),
        ("edges", "INVALID_WORKFLOW"),
    }


@pytest.mark.parametrize(
    ("changes", "path", "code_word"),
    [
        ({"trigger": None}, "trigger", "MISSING_REQUIRED_FIELD"),
        ({"trigger": "t"}, "trigger", "WORKFLOWS_BAD_PAYLOAD"),
        ({"nodes": []}, "nodes", "WORKFLOWS_BAD_PAYLOAD"),
        ({"nodes": None}, "nodes", "MISSING_REQUIRED_FIELD"),
        ({"nodes": {"a": 1}}, "nodes", "WORKFLOWS_BAD_PAYLOAD"),
        ({"nodes": [7]}, "nodes[0]", "WORKFLOWS_BAD_PAYLOAD"),
        ({"edges": []}, "edges", "WORKFLOWS_BAD_PAYLOAD"),
        ({"edges": ["t → a"]}, "edges[0]", "WORKFLOWS_BAD_PAYLOAD"),
        ({"edges": [{"id": "e", "source": "t"}]}, "edges[0].target", "MISSING_REQUIRED_FIELD"),
        ({"inputVariables": None}, "inputVariables", "MISSING_REQUIRED_FIELD"),
        ({"inputVariables": {}}, "inputVariables.settings", "MISSING_REQUIRED_FIELD"),
        ({"inputVariables": {"settings": 1}}, "inputVariables.settings", "MISSING_REQUIRED_FIELD"),
        ({"nonsense": 1}, "nonsense", "WORKFLOWS_BAD_PAYLOAD"),
        ({"name": "x" * 256}, "name", "WORKFLOWS_BAD_PAYLOAD"),
        ({"name": 5}, "name", "WORKFLOWS_BAD_PAYLOAD"),
        ({"maxExecution": 0}, "maxExecution", "WORKFLOWS_BAD_PAYLOAD"),
        ({"maxExecution": -1}, "maxExecution", "WORKFLOWS_BAD_PAYLOAD"),
        ({"maxExecution": True}, "maxExecution", "WORKFLOWS_BAD_PAYLOAD"),
        ({"maxExecution": "5"}, "maxExecution", "WORKFLOWS_BAD_PAYLOAD"),
        ({"startAt": -1}, "startAt", "WORKFLOWS_BAD_PAYLOAD"),
        ({"expiredAt": 1.5}, "expiredAt", "WORKFLOWS_BAD_PAYLOAD"),
        ({"expiredAt": NOW_MS + HOUR_MS - 1}, "expiredAt", "INVALID_REQUEST"),
        ({"smartWalletAddress": "0x12"}, "smartWalletAddress", "INVALID_ADDRESS"),
    ],
)
def test_each_broken_part_is_named(changes: dict[str, Any], path: str, code_word: str) -> None:
    assert (path, code_word) in places(body(**changes))


@pytest.mark.parametrize("runner", [None, "", " ", "0x12", 5, RUNNER + "0", "{{x}}"])
def test_the_runner_must_be_an_address(runner: object) -> None:
    found = places(body(inputVariables={"settings": {"runner": runner}}))
    assert {path for path, _ in found} == {"inputVariables.settings.runner"}


def test_addresses_of_any_case_are_fine() -> None:
    runner = "0X" + RUNNER[2:].upper()
    assert accepted(body(inputVariables={"settings": {"runner": runner}})).wallet == runner


def test_expiry_tells_the_minutes_that_remain() -> None:
    (problem,) = refused(body(expiredAt=NOW_MS + 90_000))
    assert "at least 60 minutes ahead, it is 1.5" in problem.message


def test_a_start_after_the_expiry_is_refused() -> None:
    end = NOW_MS + 2 * HOUR_MS
    assert places(body(startAt=end, expiredAt=end)) == {("startAt", "INVALID_REQUEST")}


def test_everything_wrong_is_told_at_once() -> None:
    # Given a request with a problem in every part
    request = body(
        nonsense=1,
        expiredAt=NOW_MS,
        trigger={"id": "t", "name": "if", "type": "cron", "config": {"schedules": ["x"]}},
        nodes=[
            node("a", "restApi", {"url": "ftp://x", "method": "FETCH"}),
            node("a", "noSuchType", {}),
            code("b.c", ""),
        ],
        edges=arrows(("t", "a"), ("a", "nowhere"), ("q.z", "a")),
        inputVariables={"settings": {}, "state": 1},
    )
    # Then each is named with its place
    assert {path for path, _ in places(request)} == {
        "nonsense",
        "expiredAt",
        "trigger.name",
        "trigger.config.schedules[0]",
        "nodes[0].config.url",
        "nodes[0].config.method",
        "nodes[1].type",
        "nodes[1].id",
        "nodes[2].config.source",
        "nodes[2].id",
        "nodes[2].name",
        "edges[1].target",
        "edges[2].source",
        "inputVariables.settings.runner",
        "inputVariables.state",
    }


def test_one_problem_gives_its_code_to_the_whole_and_many_have_a_common_one() -> None:
    with pytest.raises(InvalidRequest) as one:
        validate_task(body(expiredAt=1), rules())
    with pytest.raises(InvalidRequest) as two:
        validate_task(body(expiredAt=1, nonsense=1), rules())
    assert one.value.stable_code == "INVALID_REQUEST"
    assert two.value.stable_code == "WORKFLOWS_BAD_REQUEST"
    assert "expiredAt: must be at least" in one.value.message


@pytest.mark.parametrize("document", [None, 1, "x", [], [[]], True])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(InvalidRequest, match="JSON object"):
        validate_task(document, rules())  # type: ignore[arg-type]


def test_a_request_that_is_too_large_is_refused_by_its_own_code() -> None:
    large = body(inputVariables={"settings": {"runner": RUNNER}, "text": "ä" * 100})
    assert accepted(large, rules(max_task_bytes=700)).name == ""
    (problem,) = refused(large, rules(max_task_bytes=500))
    assert problem.code == "WORKFLOW_TOO_LARGE"
    assert "500 bytes at most" in problem.message


def test_too_many_nodes_are_refused() -> None:
    nodes = [code(f"n{i}") for i in range(4)]
    request = body(nodes=nodes, edges=arrows(*(("t", n["id"]) for n in nodes)))
    assert accepted(request, rules(max_nodes=4)).definition.nodes
    assert places(request, rules(max_nodes=3)) == {("nodes", "WORKFLOW_TOO_LARGE")}


def test_endless_problems_are_told_up_to_a_bound() -> None:
    assert len(refused(body(edges=list(range(5000))))) == 200


def test_a_very_deep_request_is_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    found = places(body(inputVariables={"settings": {"runner": RUNNER}, "deep": deep}))
    assert found == {("inputVariables", "WORKFLOWS_BAD_PAYLOAD")}


def test_numbers_that_are_not_finite_are_refused() -> None:
    request = body(inputVariables={"settings": {"runner": RUNNER}, "x": float("inf")})
    assert places(request) == {("inputVariables", "WORKFLOWS_BAD_PAYLOAD")}


def test_what_is_probably_not_meant_is_a_warning() -> None:
    other = "0x" + "1" * 40
    epochs = [NOW_MS - 1, NOW_MS + HOUR_MS]
    trigger = {"id": "t", "name": "start", "type": "fixedTime", "config": {"epochs": epochs}}
    warnings = accepted(body(trigger=trigger, smartWalletAddress=other)).warnings
    assert len(warnings) == 2
    assert str(epochs[0]) in warnings[0]
    assert "settings.runner" in warnings[1]
