"""Turns a schedule's firing or an operator's notice into an execution."""

from __future__ import annotations

from task_engine.bootstrap.background import trigger
from task_engine.model.json_value import JsonValue


def lambda_handler(event: dict[str, object], context: object) -> dict[str, JsonValue]:  # noqa: ARG001
    """Invoked by the Scheduler with one firing, or by the notice queue with a batch."""
    return trigger().handle(event)
