"""Stores the failed step of a node whose function died."""

from __future__ import annotations

from task_engine.bootstrap.background import fail_step
from task_engine.run.node_runner import Answer


def lambda_handler(event: dict[str, object], context: object) -> Answer:  # noqa: ARG001
    """Invoked by the walker's Catch."""
    return fail_step().handle(event)
