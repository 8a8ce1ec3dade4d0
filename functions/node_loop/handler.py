"""Runs loop nodes: whole ones, and the chunks of long ones."""

from __future__ import annotations

from task_engine.bootstrap.loops import run_loop
from task_engine.bootstrap.nodes import LambdaContext
from task_engine.config import Settings
from task_engine.model.node import NodeType
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.base import Processor
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.processors.graphql_query import GraphqlQueryProcessor
from task_engine.processors.loop import LoopProcessor
from task_engine.processors.rest_api import RestApiProcessor
from task_engine.run.node_runner import Answer


def lambda_handler(event: dict[str, object], context: LambdaContext) -> Answer:
    """Invoked by the walker for one node, or for one chunk of its items."""
    return run_loop(event, context, _processor)


def _processor(settings: Settings) -> LoopProcessor:
    http = SafeHttp(EgressPolicy(settings.allowed_hosts), settings.limits)
    return LoopProcessor(
        {
            NodeType.REST_API: lambda: RestApiProcessor(http),
            NodeType.GRAPHQL_QUERY: lambda: GraphqlQueryProcessor(http),
            NodeType.CUSTOM_CODE: lambda: CustomCodeProcessor(settings.limits),
            NodeType.CONTRACT_READ: lambda: _contract_read(settings),
        }
    )


def _contract_read(settings: Settings) -> Processor:
    from task_engine.bootstrap.reads import contract_read  # noqa: PLC0415 - loads Keccak

    return contract_read(settings)
