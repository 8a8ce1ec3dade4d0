"""HTTP API: the routes of task_engine.api.nodes."""

from __future__ import annotations

from typing import Any

from task_engine.bootstrap.api import nodes_api
from task_engine.observability import configure_logging

configure_logging("api_nodes")


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one API Gateway REST proxy event."""
    return nodes_api()(event, context)
