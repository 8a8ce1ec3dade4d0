"""A step whose function died: the failed step that it could not store itself."""

from __future__ import annotations

from collections.abc import Mapping

from task_engine.clock import Clock
from task_engine.run.node_runner import Answer, done, failure, finished_step, parse_call
from task_engine.run.ports import PlanStore, StepStore

_TEXTS = {
    "States.Timeout": "the node's function did not answer in time",
    "Sandbox.Timedout": "the node's function did not answer in time",
    "Lambda.TooManyRequestsException": "the node's function was throttled",
}


class FailStep:
    """Stores the failure unless a result stands there already: then that one counts."""

    def __init__(self, steps: StepStore, plans: PlanStore, clock: Clock) -> None:
        self._steps = steps
        self._plans = plans
        self._clock = clock

    def handle(self, event: Mapping[str, object]) -> Answer:
        """`error` is Step Functions' {Error, Cause}; only its name reaches the step, since the
        cause may quote what the function worked on."""
        call = parse_call(event)
        node = self._plans.plan(call.run).nodes[call.node_id]
        error = event.get("error")
        name = str(error.get("Error", "")) if isinstance(error, Mapping) else ""
        text = _TEXTS.get(name, "the node's function failed before it could answer")
        now = self._clock.now_ms()
        outcome = failure("EXECUTION_ENGINE_ERROR", f"{text} ({name or 'unknown'})")
        step = finished_step(call.run, node, outcome, (now, now, 1))
        return done(self._steps.store(call.run, step))
