"""filter: keeps the elements of a list for which an expression is true."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.template.host_functions import host_functions
from task_engine.template.render import bridged_code, lookup
from task_engine.template.sandbox import Bounds, evaluate
from task_engine.template.scope_values import bindings_for
from task_engine.template.script_source import BOUND, Script, prepare

# One evaluation for the whole list: a context per element would cost more than the work.
_CODE = """
(() => {{
  const keep = {function};
  const kept = [], problems = [];
  __items.forEach((item, position) => {{
    try {{ if (keep(__bridge(item), position)) kept.push(position); }}
    catch (error) {{ if (problems.length < 5) problems.push(position + ': ' + String(error)); }}
  }});
  return JSON.stringify({{ kept, problems }});
}})()
"""
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """What to filter, and by what."""

    items: str
    expression: str


class FilterProcessor:
    """The element is `value`, its position `index`; one whose evaluation fails is dropped."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for an input that is no list, and for a broken expression."""
        config = self._config(node)
        items = _items(config, scope)
        if not items:
            return Outcome(data=[])
        child = scope.child({"value": None, "index": None})
        script = prepare(config.expression, child)
        bindings, _ = bindings_for(script.source, scope)
        for own in ("value", "index"):
            bindings.pop(own, None)
        code = host_functions(script.source) + bridged_code({"__items": items, **bindings})
        answer = evaluate(
            code.replace("globalThis.__items = __bridge(__items);", "") + _code(script),
            {**bindings, BOUND: script.bound, "__items": items},
            Bounds(_SECONDS, self._limits.script_memory_bytes),
        )
        return Outcome(
            data=[items[position] for position in answer["kept"]],
            log="\n".join(f"element {problem}" for problem in answer["problems"]),
        )

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - whatever it asks
        """Evaluating has no effect."""
        return True

    def _config(self, node: PlanNode) -> FilterConfig:
        fields: dict[str, str] = {}
        for name in ("inputVariable", "expression"):
            value = node.config.get(name)
            if not isinstance(value, str) or not value.strip():
                raise NodeError(f"{name} is required", code="MISSING_REQUIRED_FIELD")
            if len(value.encode()) > self._limits.max_template_bytes:
                raise NodeError(f"{name} is too long", code="INVALID_NODE_CONFIG")
            fields[name] = value
        return FilterConfig(fields["inputVariable"], fields["expression"])


def _items(config: FilterConfig, scope: Scope) -> list[JsonValue]:
    found, value = lookup(config.items, scope)
    if not found or value is None:
        raise NodeError(f"could not resolve variable `{config.items}` in `inputVariable`")
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise NodeError("inputVariable: expected array")
    return value


def _code(script: Script) -> str:
    statement = script.body or script.source.lstrip().startswith("if")
    body = script.source if statement else f"return (\n{script.source}\n)"
    return _CODE.format(function=f"function (value, index) {{\n{body}\n}}")
