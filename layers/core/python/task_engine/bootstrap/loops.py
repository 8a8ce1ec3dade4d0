"""Wiring of the loop's function, which runs other processors too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from task_engine.bootstrap.core import settings
from task_engine.bootstrap.nodes import LambdaContext, handle, run_ports
from task_engine.config import Settings
from task_engine.processors.loop import LoopProcessor
from task_engine.run.loop_runner import LoopRunner
from task_engine.run.node_runner import Answer


@cache
def _runner(build: Callable[[Settings], LoopProcessor]) -> LoopRunner:
    return LoopRunner(build(settings()), run_ports())


def run_loop(
    event: dict[str, object], context: LambdaContext, build: Callable[[Settings], LoopProcessor]
) -> Answer:
    """Answer the walker for a loop node or one chunk of it."""
    return handle(_runner(build), event, context)
