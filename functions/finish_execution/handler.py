"""Gives an execution its final status."""

from __future__ import annotations

from task_engine.bootstrap.background import finish_execution
from task_engine.model.json_value import JsonValue


def lambda_handler(event: dict[str, object], context: object) -> dict[str, JsonValue]:  # noqa: ARG001
    """Invoked by the walker at its end, or by the event bus when a walk failed as a whole."""
    return finish_execution().handle(event)
