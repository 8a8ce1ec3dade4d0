"""Expressions that answer yes or no about the run's variables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope
from task_engine.template.host_functions import host_functions
from task_engine.template.render import bridged_code
from task_engine.template.sandbox import Bounds, ScriptLimit, evaluate
from task_engine.template.scope_values import bindings_for
from task_engine.template.script_source import BOUND, prepare

_COMPARISON = re.compile(
    r"(?P<left>[^=!<>&|?]+)(?P<operator>===|!==|==|!=|>=|<=|>|<)(?P<right>[^=!<>&|?]+)"
)
_CODE = """
(() => {{
  const show = (v) => typeof v === 'bigint' ? v.toString() : v === undefined ? null : v;
  const attempt = (f) => {{ try {{ return show(f()); }} catch (error) {{ return null; }} }};
  let result, error = null;
  try {{ result = ({expression}
); }} catch (e) {{ error = String(e); }}
  return JSON.stringify({{
    yes: result === true, truthy: !!result, error,
    left: attempt(() => ({left})), right: attempt(() => ({right})),
  }});
}})()
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """`yes` only for the boolean true; `problem` says why there is no answer."""

    yes: bool
    truthy: bool = False
    problem: str = ""
    processed: str = ""
    operands: dict[str, JsonValue] | None = None


def ask(expression: str, scope: Scope) -> Answer:
    """Evaluate a condition. Whatever goes wrong in it is a no, told in `problem`; only what goes
    beyond the limits raises (ScriptLimit)."""
    try:
        script = prepare(expression, scope)
    except NodeError as error:
        return Answer(False, problem=error.message)
    if not script.source.strip():
        return Answer(False)
    bindings, _ = bindings_for(script.source, scope)
    parts = _COMPARISON.fullmatch(script.source)
    code = host_functions(script.source) + bridged_code(bindings)
    code += _CODE.format(
        expression=script.source,
        left=parts["left"] if parts else "null",
        right=parts["right"] if parts else "null",
    )
    bounds = Bounds(seconds=scope.limits.template_timeout_ms / 1000)
    try:
        found = evaluate(code, {**bindings, BOUND: script.bound}, bounds)
    except ScriptLimit:
        raise
    except NodeError as error:
        return Answer(False, problem=error.message, processed=script.source)
    operands = None
    if parts:
        operands = {
            "leftExpr": parts["left"].strip(),
            "rightExpr": parts["right"].strip(),
            "operator": parts["operator"],
            "left": found["left"],
            "right": found["right"],
        }
    return Answer(
        bool(found["yes"]), bool(found["truthy"]), found["error"] or "", script.source, operands
    )
