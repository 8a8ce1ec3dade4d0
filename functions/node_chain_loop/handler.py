"""Runs loop nodes whose items write on chain."""

from __future__ import annotations

from task_engine.bootstrap.loops import run_loop
from task_engine.bootstrap.nodes import LambdaContext
from task_engine.bootstrap.writes import contract_write, eth_transfer
from task_engine.config import Settings
from task_engine.model.node import NodeType
from task_engine.processors.loop import LoopProcessor
from task_engine.run.node_runner import Answer


def lambda_handler(event: dict[str, object], context: LambdaContext) -> Answer:
    """Invoked by the walker for one node, or for one chunk of its items."""
    return run_loop(event, context, _processor)


def _processor(settings: Settings) -> LoopProcessor:
    return LoopProcessor(
        {
            NodeType.CONTRACT_WRITE: lambda: contract_write(settings),
            NodeType.ETH_TRANSFER: lambda: eth_transfer(settings),
        }
    )
