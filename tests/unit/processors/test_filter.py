"""Which elements a filter keeps."""

from __future__ import annotations

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.filter import FilterProcessor

LIMITS = Limits(script_timeout_seconds=1)
ITEMS: list[JsonValue] = [
    {"v": 1, "ok": True, "user_id": "a"},
    {"v": 2, "big": 123456789012345678901234567890},
    {"v": 3, "ok": True},
]
VARIABLES: dict[str, JsonValue] = {
    "items": {"data": ITEMS, "none": None, "empty": [], "mixed": [1, None, "x", [2]]},
    "start": {"data": {"limit": 2, "n": 5}},
    "value": "shadowed",
}


def node(items: JsonValue, expression: JsonValue) -> PlanNode:
    config = {"inputVariable": items, "expression": expression}
    return PlanNode("f1", "kept", NodeType.FILTER, config, 1)


def run(items: JsonValue, expression: JsonValue) -> Outcome:
    return FilterProcessor(LIMITS).run(node(items, expression), Scope(VARIABLES, limits=LIMITS))


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("value.v > 1", [1, 2]),
        ("value.ok", [0, 2]),
        ("index === 0", [0]),
        ("value.v >= start.data.limit", [1, 2]),
        ("value.v == {{start.data.limit}}", [1]),
        ("{{value.v}} > {{start.data.limit}}", [2]),
        ("{{value.v + index}} === 3", [1]),
        ("value.userId === 'a'", [0]),
        ("return value.v !== 2", [0, 2]),
        ("if (value.v === 1) { return true }", [0]),
        ("value.v > 0 // all", [0, 1, 2]),
        ("false", []),
        ("value.ok.valueOf()", [0, 2]),
        ("JSON.stringify(value).includes('big')", [1]),
    ],
)
def test_truthy_keeps_in_order(expression: str, places: list[int]) -> None:
    outcome = run("{{items.data}}", expression)
    assert outcome.data == [ITEMS[place] for place in places]
    assert outcome.error is None


def test_kept_elements_are_unchanged() -> None:
    outcome = run("items.data", "value.v === 2 && (value.extra = 1)")
    assert outcome.data == [ITEMS[1]]


def test_elements_may_be_anything() -> None:
    assert run("items.mixed", "true").data == [1, None, "x", [2]]


def test_an_element_that_fails_is_dropped_and_told() -> None:
    outcome = run("items.data", "value.ok.valueOf()")
    assert "element 1: TypeError" in outcome.log


def test_an_object_is_a_list_of_one() -> None:
    assert run("items.data[0]", "value.v === 1").data == [ITEMS[0]]


def test_an_empty_list_stays_one() -> None:
    assert run("items.empty", "value.v").data == []


@pytest.mark.parametrize(
    "items", ["start.data.n", "items.none", "items.nope", "{{nobody.x}}", "{{a}}{{b}}"]
)
def test_what_is_no_list_is_an_error(items: str) -> None:
    with pytest.raises(NodeError, match="inputVariable"):
        run(items, "true")


@pytest.mark.parametrize("field", ["inputVariable", "expression"])
@pytest.mark.parametrize("value", [None, "", "  ", 5])
def test_both_fields_are_required(field: str, value: JsonValue) -> None:
    given: dict[str, JsonValue] = {
        "inputVariable": "items.data",
        "expression": "true",
        field: value,
    }
    with pytest.raises(NodeError, match=f"{field} is required") as caught:
        run(given["inputVariable"], given["expression"])
    assert caught.value.stable_code == "MISSING_REQUIRED_FIELD"


def test_an_unresolved_template_is_an_error() -> None:
    with pytest.raises(NodeError, match=r"start\.data\.nope in expression"):
        run("items.data", "value.v > {{start.data.nope}}")


def test_a_broken_expression_is_an_error() -> None:
    with pytest.raises(NodeError, match="SyntaxError"):
        run("items.data", "value.v >")


@pytest.mark.parametrize("expression", ["(() => { for (;;); })()", "while (true) {} return 1"])
def test_an_endless_expression_is_ended(expression: str) -> None:
    with pytest.raises(NodeError, match="timeout") as caught:
        run("items.data", expression)
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"


def test_thousands_of_elements() -> None:
    scope = Scope({"rows": [{"i": i} for i in range(20_000)]})
    outcome = FilterProcessor(Limits()).run(node("rows", "value.i % 2 === 0"), scope)
    assert isinstance(outcome.data, list)
    assert len(outcome.data) == 10_000


def test_it_may_always_run_again() -> None:
    assert FilterProcessor(LIMITS).replay_safe(node("items.data", "true"))
