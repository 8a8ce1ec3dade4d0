"""Runs customCode nodes."""

from __future__ import annotations

from task_engine.bootstrap.nodes import LambdaContext, run_node
from task_engine.config import Settings
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.run.node_runner import Answer


def lambda_handler(event: dict[str, object], context: LambdaContext) -> Answer:
    """Invoked by the walker for one node."""
    return run_node(event, context, _processor)


def _processor(settings: Settings) -> CustomCodeProcessor:
    return CustomCodeProcessor(settings.limits)
