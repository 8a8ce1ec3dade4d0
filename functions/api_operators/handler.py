"""HTTP API: the routes of task_engine.api.operators."""

from __future__ import annotations

from typing import Any

from task_engine.bootstrap.api import operators_api
from task_engine.observability import configure_logging

configure_logging("api_operators")


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one API Gateway REST proxy event."""
    return operators_api()(event, context)
