"""Expires tasks and revives or ends executions that are stuck."""

from __future__ import annotations

from task_engine.bootstrap.background import sweeper
from task_engine.model.json_value import JsonValue


def lambda_handler(event: dict[str, object], context: object) -> dict[str, JsonValue]:  # noqa: ARG001
    """Invoked every few minutes; answers with what it did, in numbers."""
    return sweeper().sweep()
