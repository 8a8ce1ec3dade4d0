"""HTTP API: the routes of task_engine.api.secrets."""

from __future__ import annotations

from typing import Any

from task_engine.bootstrap.api import secrets_api
from task_engine.observability import configure_logging

configure_logging("api_secrets")


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one API Gateway REST proxy event."""
    return secrets_api()(event, context)
