"""HTTP API: the routes of task_engine.api.wallets."""

from __future__ import annotations

from typing import Any

from task_engine.bootstrap.api import wallets_api
from task_engine.observability import configure_logging

configure_logging("api_wallets")


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one API Gateway REST proxy event."""
    return wallets_api()(event, context)
