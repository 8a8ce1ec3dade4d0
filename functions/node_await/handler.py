"""Runs await nodes: opens their waits, and reads what was decided."""

from __future__ import annotations

from task_engine.bootstrap.nodes import LambdaContext
from task_engine.bootstrap.waits import run_await
from task_engine.run.node_runner import Answer


def lambda_handler(event: dict[str, object], context: LambdaContext) -> Answer:
    """Invoked by the walker; with a task token it leaves the walk standing still."""
    return run_await(event, context)
