"""Runs contractRead nodes."""

from __future__ import annotations

from task_engine.bootstrap.nodes import LambdaContext, run_node
from task_engine.bootstrap.reads import contract_read
from task_engine.run.node_runner import Answer


def lambda_handler(event: dict[str, object], context: LambdaContext) -> Answer:
    """Invoked by the walker for one node."""
    return run_node(event, context, contract_read)
