"""filter: keeps the elements of a list for which an expression is true."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.template.quick import is_quick
from task_engine.template.render import lookup
from task_engine.template.sandbox import Sandbox
from task_engine.template.script_source import Script, prepare
from task_engine.template.visible import visible

# One evaluation for the whole list: a context per element would cost more than the work.
_CODE = """
const __keep = function (value, index) {{
{body}
}};
const __kept = [], __problems = [];
for (let __i = 0; __i < __items.length; __i++) {{
  try {{ if (__keep(__items[__i], __i)) __kept.push(__i); }}
  catch (__e) {{ if (__problems.length < 5) __problems.push(`element ${{__i}}: ${{__e}}`); }}
}}
return {{ kept: __kept, problems: __problems }};
"""
_ELEMENT_NAMES = frozenset(["value", "index"])
_STATEMENT_WORDS = frozenset(["return", "if"])


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
        """Raises NodeError for an input that is no list, for a template without a value and for
        an expression that is no JavaScript."""
        config = self._config(node)
        items = _items(config, scope)
        script = prepare(config.expression, scope, "expression", inner=_ELEMENT_NAMES)
        if not items:
            return Outcome(data=[])
        found = Sandbox(scope.limits, scope.deadline).run_function_body(
            _code(script),
            {**visible(scope), **script.values, "__items": items},
            limit_seconds=self._limits.script_timeout_seconds,
            quick=is_quick(script.source),
        )
        kept, problems = _answer(found)
        return Outcome(data=[items[place] for place in kept], log="\n".join(problems))

    def replay_safe(self, node: PlanNode) -> bool:  # noqa: ARG002 - whatever it asks
        """Evaluating has no effect."""
        return True

    def _config(self, node: PlanNode) -> FilterConfig:
        fields: dict[str, str] = {}
        for name in ("inputVariable", "expression"):
            value = node.config.get(name)
            if not isinstance(value, str) or not value.strip():
                raise NodeError(f"{name} is required", code="MISSING_REQUIRED_FIELD")
            if len(value.encode("utf-8", "replace")) > self._limits.max_template_bytes:
                raise NodeError(
                    f"{name} may have {self._limits.max_template_bytes} bytes at most",
                    code="INVALID_NODE_CONFIG",
                )
            fields[name] = value
        return FilterConfig(fields["inputVariable"], fields["expression"])


def _items(config: FilterConfig, scope: Scope) -> list[JsonValue]:
    found, value = lookup(config.items, scope)
    if not found or value is None:
        raise NodeError(f"inputVariable {config.items.strip()} could not be resolved")
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise NodeError("inputVariable: expected array")
    return value


def _code(script: Script) -> str:
    statements = not script.names.isdisjoint(_STATEMENT_WORDS)
    return _CODE.format(body=script.source if statements else f"return (\n{script.source}\n)")


def _answer(found: JsonValue) -> tuple[list[int], list[str]]:
    if isinstance(found, dict):
        kept, problems = found.get("kept"), found.get("problems")
        if isinstance(kept, list) and isinstance(problems, list):
            places = [place for place in kept if isinstance(place, int)]
            return places, [str(problem) for problem in problems]
    raise NodeError("the expression gave no answer", code="EXECUTION_ENGINE_ERROR")
