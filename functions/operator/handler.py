"""Watches one chain for a minute and tells the engine what fired."""

from __future__ import annotations

from task_engine.bootstrap.operator import turns
from task_engine.model.json_value import JsonValue


def lambda_handler(event: dict[str, object], context: object) -> dict[str, JsonValue]:  # noqa: ARG001
    """Invoked each minute for each chain, with `{"chainId": n}`."""
    return turns().handle(event)
