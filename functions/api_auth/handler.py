"""HTTP API: the routes of task_engine.api.auth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from task_engine.bootstrap.api import auth_api
from task_engine.observability import configure_logging

configure_logging("api_auth")
_SITE = Path(__file__).parent / "site"


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one API Gateway REST proxy event."""
    return auth_api(_SITE)(event, context)
