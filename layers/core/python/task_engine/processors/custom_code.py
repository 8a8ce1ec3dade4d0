"""customCode: the author's JavaScript."""

from __future__ import annotations

from collections.abc import Mapping

from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.template.redact import Redactor
from task_engine.template.script import run_script
from task_engine.template.script_source import prepare


def _without_secrets(changes: Mapping[str, JsonValue], scope: Scope) -> dict[str, JsonValue]:
    """State outlives the run and is no place for secrets, which every run is given anew."""
    masked = Redactor(scope.secrets).json(dict(changes))
    return masked if isinstance(masked, dict) else {}


class CustomCodeProcessor:
    """Runs the source with the run's variables as globals, in a child process unless it is as
    short as an expression; its value becomes `<node>.data`, what it writes to the console the
    step's log."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Raises NodeError for a source that is missing, too long or names missing variables, and
        EXECUTION_ENGINE_ERROR when it goes on beyond its time. What it throws is an outcome."""
        script = prepare(self._source(node), scope)
        state: dict[str, JsonValue] = {}
        if scope.state is not None and "state" in script.names:
            state = scope.state.load()
        result = run_script(script, scope, state)
        if result.problem:
            error = StepError(result.code, result.problem)
            return Outcome(has_data=False, error=error, log=result.log)
        if scope.state is not None and result.changes:
            scope.state.save(_without_secrets(result.changes, scope))
        return Outcome(data=result.value, log=result.log)

    def replay_safe(self, node: PlanNode) -> bool:
        """A script has no effects but on `state`, which is written once, after it has ended."""
        source = str(node.config.get("source", ""))
        return not any(word in source for word in ("state", "globalThis", "eval", "Function"))

    def _source(self, node: PlanNode) -> str:
        source = node.config.get("source")
        if not isinstance(source, str) or not source.strip():
            raise NodeError("source is required", code="MISSING_REQUIRED_FIELD")
        if len(source.encode("utf-8", "replace")) > self._limits.max_template_bytes:
            raise NodeError(
                f"source may have {self._limits.max_template_bytes} bytes at most",
                code="INVALID_NODE_CONFIG",
            )
        return source
