"""Which condition a branch takes, and what it tells about it."""

from __future__ import annotations

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.branch import BranchProcessor

LIMITS = Limits(template_timeout_ms=200)
VARIABLES: dict[str, JsonValue] = {
    "start": {
        "data": {"n": 5, "text": "important", "items": [1, 2, 3], "big": "123456789012345678901"}
    }
}


def branch(*conditions: JsonValue) -> PlanNode:
    return PlanNode("b1", "choose", NodeType.BRANCH, {"conditions": list(conditions)}, 1)


def when(expression: str, kind: str = "if", name: str = "a") -> JsonValue:
    return {"id": name, "type": kind, "expression": expression}


def run(*conditions: JsonValue, limits: Limits = LIMITS) -> Outcome:
    return BranchProcessor(limits).run(branch(*conditions), Scope(VARIABLES, limits=limits))


def evaluations(outcome: Outcome) -> list[dict[str, JsonValue]]:
    assert isinstance(outcome.metadata, dict)
    listed = outcome.metadata["conditionEvaluations"]
    assert isinstance(listed, list)
    return [item for item in listed if isinstance(item, dict)]


@pytest.mark.parametrize(
    "expression",
    [
        "true",
        "start.data.n > 1",
        "{{start.data.n}} > 4",
        "{{start.data.n > 4}}",
        "{{start.data.text}} === 'important'",
        "'{{start.data.text}}' == \"important\"",
        "start.data.text == 'important'",
        "start.data.items.some(i => i === 3)",
        "{{start.data.items}}.includes(2)",
        "BigInt(start.data.big) > BigInt('99999999999999999999')",
        "typeof nobody === 'undefined'",
        "Number('5') === start.data.n",
        "new Date(0).getTime() === 0",
        "{{nobody.x}} === undefined",
        "bigGt(start.data.big, 5)",
        "start.data.n > 1 // why not",
        "['process', 'import', 'constructor'].length === 3",
    ],
)
def test_true_is_taken(expression: str) -> None:
    outcome = run(when(expression))
    assert outcome.conditions == ("a",)
    assert outcome.data == {
        "conditionId": "b1.a",
        "condition_results": [{"id": "a", "result": True}],
    }
    assert outcome.error is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "  ",
        "{{ }}",
        "false",
        "start.data.n",
        "'true'",
        "nobody.data > 1",
        "start.data.x.y > 1",
        "{{nobody.x}} > 1",
        "1 +",
        "}{",
        "for (;;);",
        "(() => { throw 1 })()",
        "start.data.n = 5",
    ],
)
def test_everything_else_is_false_and_no_error(expression: str) -> None:
    outcome = run(when(expression))
    assert outcome.conditions == ()
    assert outcome.data == {"conditionId": None, "condition_results": []}
    assert outcome.error is None


def test_the_first_true_condition_wins() -> None:
    outcome = run(when("false"), when("true", "if", "b"), when("true", "elseIf", "c"))
    assert outcome.conditions == ("b",)


def test_else_is_taken_when_nothing_else_is() -> None:
    assert run(when("false"), when("", "else", "b"), when("true", "if", "c")).conditions == ("b",)
    assert run(when("true"), when("", "else", "b")).conditions == ("a",)


def test_data_is_never_run() -> None:
    scope = Scope({"x": {"t": "1) || (true"}}, limits=LIMITS)
    for expression in ("({{x.t}})", "('{{x.t}}')", "{{x.t}} === 2"):
        assert BranchProcessor(LIMITS).run(branch(when(expression)), scope).conditions == ()


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([], "conditions is required"),
        (None, "conditions is required"),
        ("x", "conditions is required"),
        ([None], "conditions[0]: must be an object"),
        ([{"type": "if", "expression": "true"}], "conditions[0]: id is required"),
        ([{"id": "", "type": "if"}], "conditions[0]: id is required"),
        ([{"id": "a", "type": ""}], "conditions[0]: type must be"),
        ([{"id": "a", "type": "if"}, {"id": "b", "type": "when"}], "conditions[1]: type must be"),
        ([{"id": "a", "type": "else"}], "conditions[0]: the first condition can't be else"),
    ],
)
def test_a_malformed_branch_fails(conditions: JsonValue, message: str) -> None:
    node = PlanNode("b1", "choose", NodeType.BRANCH, {"conditions": conditions}, 1)
    with pytest.raises(NodeError) as caught:
        BranchProcessor(LIMITS).run(node, Scope(VARIABLES))
    assert message in caught.value.message


def test_an_expression_may_not_be_too_long() -> None:
    with pytest.raises(NodeError, match="102400 bytes"):
        run(when("{{start.data.n}} > " + "1" * 102_400))


@pytest.mark.parametrize(
    "expression", ["(() => { for (;;); })()", "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b') > 0"]
)
def test_a_limit_is_an_error(expression: str) -> None:
    with pytest.raises(NodeError) as caught:
        run(when(expression))
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"


class TestTrace:
    def test_the_condition_taken(self) -> None:
        (first,) = evaluations(run(when("{{start.data.n}} > 4")))
        assert first == {
            "index": 0,
            "id": "a",
            "type": "if",
            "label": "If",
            "expression": "{{start.data.n}} > 4",
            "processedExpr": "5 > 4",
            "evaluated": True,
            "result": True,
            "taken": True,
            "variableValues": {
                "leftExpr": "5",
                "rightExpr": "4",
                "operator": ">",
                "left": 5,
                "right": 4,
            },
        }

    def test_labels_and_what_was_not_asked(self) -> None:
        listed = evaluations(
            run(
                when("false"),
                when("true", "if", "b"),
                when("true", "elseIf", "c"),
                when("", "else", "d"),
            )
        )
        assert [item["label"] for item in listed] == ["If", "ElseIf", "ElseIf", "Else"]
        assert [item["evaluated"] for item in listed] == [True, True, False, False]
        assert [item["taken"] for item in listed] == [False, True, False, False]

    def test_big_operands_are_texts(self) -> None:
        (first,) = evaluations(run(when("BigInt(start.data.big) > 5n")))
        assert first["variableValues"] == {
            "leftExpr": "BigInt(start.data.big)",
            "rightExpr": "5n",
            "operator": ">",
            "left": "123456789012345678901",
            "right": "5",
        }

    @pytest.mark.parametrize(
        "expression", ["true", "1 < 2 && 2 > 1", "[1].some(x => x > 0)", "f(a > b)"]
    )
    def test_operands_are_those_of_one_comparison(self, expression: str) -> None:
        (first,) = evaluations(run(when(expression)))
        assert "variableValues" not in first

    def test_the_reason_of_a_no_is_told(self) -> None:
        outcome = run(when("nobody.x > 1"))
        assert "nobody is not defined" in outcome.log
        assert "nobody is not defined" in str(evaluations(outcome)[0]["error"])


def test_it_may_always_run_again() -> None:
    assert BranchProcessor(LIMITS).replay_safe(branch(when("true")))
