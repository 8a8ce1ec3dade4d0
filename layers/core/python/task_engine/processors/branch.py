"""branch: the first condition that is true chooses where the run goes on."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.template.condition import Answer, ask

_TYPES = ("if", "elseIf", "else")


@dataclass(frozen=True, slots=True)
class Condition:
    """One arm; an `else` has no expression."""

    id: str
    type: str
    expression: str


class BranchProcessor:
    """Answers with the arm taken as `data.conditionId`, and how each condition was evaluated."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a branch that is malformed and for a limit, otherwise never for what
        an expression does."""
        conditions = parse_conditions(node)
        self._check_sizes(conditions)
        evaluations: list[JsonValue] = []
        log: list[str] = []
        taken: Condition | None = None
        for index, condition in enumerate(conditions):
            answer = _answer(condition, scope) if taken is None else None
            if answer is not None:
                log.append(_line(condition, answer))
                taken = condition if answer.yes else None
            evaluations.append(_evaluation(index, condition, answer))
        return Outcome(
            data=_data(node, taken),
            log="\n".join(log),
            metadata={"conditionEvaluations": evaluations},
            conditions=(taken.id,) if taken else (),
        )

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - whatever it asks
        """Evaluating has no effect."""
        return True

    def _check_sizes(self, conditions: list[Condition]) -> None:
        for condition in conditions:
            if (
                len(condition.expression.encode("utf-8", "replace"))
                > self._limits.max_template_bytes
            ):
                raise NodeError(
                    f"the expression of condition {condition.id} may have "
                    f"{self._limits.max_template_bytes} bytes at most",
                    code="INVALID_NODE_CONFIG",
                )


def parse_conditions(node: PlanNode) -> list[Condition]:
    """The arms in order; raises NodeError naming the place of what is wrong."""
    listed = node.config.get("conditions")
    if not isinstance(listed, list) or not listed:
        raise NodeError("conditions is required", code="MISSING_REQUIRED_FIELD")
    conditions = [_condition(index, item) for index, item in enumerate(listed)]
    if conditions[0].type == "else":
        raise _wrong(0, "the first condition can't be else")
    return conditions


def _condition(index: int, item: JsonValue) -> Condition:
    if not isinstance(item, dict):
        raise _wrong(index, "must be an object")
    identity, kind = item.get("id"), item.get("type")
    if not isinstance(identity, str) or not identity:
        raise _wrong(index, "id is required")
    if kind not in _TYPES:
        raise _wrong(index, "type must be if, elseIf or else")
    return Condition(identity, str(kind), str(item.get("expression") or ""))


def _wrong(index: int, text: str) -> NodeError:
    return NodeError(f"conditions[{index}]: {text}", code="INVALID_NODE_CONFIG")


def _data(node: PlanNode, taken: Condition | None) -> JsonValue:
    """Both shapes that clients read, with or without a match."""
    results: list[JsonValue] = [{"id": taken.id, "result": True}] if taken else []
    return {
        "conditionId": f"{node.id}.{taken.id}" if taken else None,
        "condition_results": results,
    }


def _answer(condition: Condition, scope: Scope) -> Answer:
    if condition.type == "else":
        return Answer(yes=True)
    return ask(condition.expression, scope)


def _line(condition: Condition, answer: Answer) -> str:
    text = f"condition {condition.id} is {'true' if answer.yes else 'false'}"
    return f"{text}: {answer.problem}" if answer.problem else text


def _evaluation(index: int, condition: Condition, answer: Answer | None) -> JsonValue:
    """How a condition was answered; None for one after the one taken, which is not asked."""
    first_if = condition.type == "if" and index == 0
    asked: dict[str, JsonValue] = {}
    if answer is not None and answer.operands:
        asked["variableValues"] = answer.operands
    if answer is not None and answer.problem:
        asked["error"] = answer.problem
    return {
        "index": index,
        "id": condition.id,
        "type": condition.type,
        "label": "Else" if condition.type == "else" else "If" if first_if else "ElseIf",
        "expression": condition.expression,
        "processedExpr": answer.processed if answer is not None else "",
        "evaluated": answer is not None,
        "result": answer is not None and answer.yes,
        "taken": answer is not None and answer.yes,
        **asked,
    }
