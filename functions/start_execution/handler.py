"""Takes executions off the queue and starts their walks."""

from __future__ import annotations

from task_engine.bootstrap.background import start_execution
from task_engine.model.json_value import JsonValue


def lambda_handler(event: dict[str, object], context: object) -> dict[str, JsonValue]:  # noqa: ARG001
    """Invoked with a batch of queue messages; answers with those to deliver again."""
    return start_execution().handle(event)
