"""Wiring of the await nodes' function."""

from __future__ import annotations

from functools import cache

from task_engine.bootstrap import stores
from task_engine.bootstrap.nodes import LambdaContext, handle, run_ports
from task_engine.run.await_runner import AwaitRunner
from task_engine.run.node_runner import Answer


@cache
def _runner() -> AwaitRunner:
    return AwaitRunner(run_ports(), stores.waits())


def run_await(event: dict[str, object], context: LambdaContext) -> Answer:
    """Answer the walker for an await node."""
    return handle(_runner(), event, context)
