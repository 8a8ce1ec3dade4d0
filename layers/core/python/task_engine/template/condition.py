"""Expressions that answer yes or no about the run's variables."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from task_engine.model.json_value import JsonValue
from task_engine.template.failures import ScriptError
from task_engine.template.lexer import Kind, tokens
from task_engine.template.quick import is_quick
from task_engine.template.sandbox import Sandbox
from task_engine.template.scope import Scope
from task_engine.template.script_source import Script, prepare
from task_engine.template.visible import visible

_COMPARISONS = frozenset(["===", "!==", "==", "!=", ">=", "<=", ">", "<"])
_LOOSER = frozenset(["&&", "||", "??", "?", ",", "=>", "=", ";"])
_BOUND_NAME = re.compile(r"__[ts]\d+")
_SHOWN = 200
_CODE = """
const __try = (__f) => {{ try {{ return __f(); }} catch (__e) {{ return null; }} }};
let __answer, __problem = "";
try {{ __answer = ({expression}
); }} catch (__e) {{ __problem = String(__e); }}
return {{ yes: __answer === true, problem: __problem, left: __try(() => ({left}
)), right: __try(() => ({right}
)) }};
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`yes` only for the boolean true; `problem` says why there is no answer; `processed` is the
    expression with what its templates gave; `operands` are the sides of its comparison."""

    yes: bool
    problem: str = ""
    processed: str = ""
    operands: dict[str, JsonValue] = field(default_factory=dict)


def ask(expression: str, scope: Scope) -> Answer:
    """Evaluate a condition. Whatever goes wrong in it is a no, told in `problem`; only going
    beyond a limit raises (NodeError EXECUTION_ENGINE_ERROR)."""
    script = prepare(expression, scope, "expression", lenient=True)
    if not script.source.strip():
        return Answer(False)
    processed = _processed(script)
    sides = _sides(script.source)
    left, operator, right = sides or ("null", "", "null")
    code = _CODE.format(expression=script.source, left=left, right=right)
    try:
        found = Sandbox(scope.limits, scope.deadline).run_function_body(
            code,
            {**visible(scope), **script.values},
            limit_seconds=scope.limits.template_timeout_ms / 1000,
            quick=is_quick(script.source),
        )
    except ScriptError as error:
        return Answer(False, error.message, processed)
    if not isinstance(found, dict):
        return Answer(False, "the condition gave no answer", processed)
    operands: dict[str, JsonValue] = {}
    if sides is not None:
        operands = {
            "leftExpr": _shown(left, script),
            "rightExpr": _shown(right, script),
            "operator": operator,
            "left": found["left"],
            "right": found["right"],
        }
    return Answer(found["yes"] is True, str(found["problem"]), processed, operands)


def _sides(source: str) -> tuple[str, str, str] | None:
    """Left side, operator and right side of an expression that is one comparison."""
    depth = position = 0
    cut: tuple[int, str] | None = None
    for token in tokens(source):
        if token.kind is Kind.PUNCTUATOR:
            if token.text in ("(", "[", "{"):
                depth += 1
            elif token.text in (")", "]", "}"):
                depth -= 1
            elif depth == 0 and token.text in _COMPARISONS:
                if cut is not None:
                    return None
                cut = position, token.text
            elif depth == 0 and token.text in _LOOSER:
                return None
        position += len(token.text)
    if cut is None:
        return None
    left, right = source[: cut[0]].strip(), source[cut[0] + len(cut[1]) :].strip()
    return (left, cut[1], right) if left and right else None


def _processed(script: Script) -> str:
    return _shown(script.source.strip(), script)


def _shown(source: str, script: Script) -> str:
    """The source with the values of its templates in their places, long ones cut."""

    def value(found: re.Match[str]) -> str:
        if found[0] not in script.values:
            return found[0]
        text = json.dumps(script.values[found[0]], ensure_ascii=False)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    return _BOUND_NAME.sub(value, source)
