"""How walks end: by themselves, or by failing as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping

from task_engine.errors import InvalidRequest
from task_engine.model.execution import Execution, resumes_of
from task_engine.model.json_value import JsonValue
from task_engine.run.finish import FinishExecution
from task_engine.run.node_runner import parse_run

_REASONS = {
    "TIMED_OUT": "the walk took longer than its state machine allows",
    "ABORTED": "the walk was stopped by hand",
    "FAILED": "the walk failed",
}


class FinishEvents:
    """Answers the walker's last state and the event bus."""

    def __init__(self, finish: FinishExecution) -> None:
        self._finish = finish

    def handle(self, event: Mapping[str, object]) -> dict[str, JsonValue]:
        """`{executionId, status, startAt, endAt, error}`; raises InvalidRequest."""
        detail = event.get("detail")
        if isinstance(detail, Mapping):
            return _summary(self._walk_failed(detail))
        return _summary(self._finish.finish(parse_run(event.get("run"))))

    def _walk_failed(self, detail: Mapping[str, object]) -> Execution:
        """https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html"""
        try:
            walk = json.loads(str(detail["input"]))
            run = parse_run({**walk, "walk": str(detail["executionArn"])})
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidRequest("not the status of a walk") from error
        status = str(detail.get("status"))
        reason = _REASONS.get(status, _REASONS["FAILED"])
        return self._finish.give_up(run, reason, resumes_of(run.walk))


def _summary(execution: Execution) -> dict[str, JsonValue]:
    return {
        "executionId": execution.id,
        "status": execution.status.value,
        "startAt": execution.start_at,
        "endAt": execution.end_at,
        "error": execution.error,
    }
