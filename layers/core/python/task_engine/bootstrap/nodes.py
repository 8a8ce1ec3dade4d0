"""Wiring of the processor functions: light, since each cold start pays for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

from task_engine.aws.plan_repository import PlanRepository
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.state_repository import StateRepository
from task_engine.aws.step_repository import StepRepository
from task_engine.aws.vault import Vault
from task_engine.bootstrap.core import client, clock, dynamo, packer, settings
from task_engine.config import Settings
from task_engine.observability import configure_logging, log_context
from task_engine.processors.base import Processor
from task_engine.run.node_runner import Answer, NodeRunner, RunPorts

configure_logging("node")


class LambdaContext(Protocol):
    """The part of Lambda's context object that the functions use."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


@cache
def run_ports() -> RunPorts:
    """Steps, plans and state of the deployment's tables."""
    chosen = settings()
    secrets = SecretReader(
        Vault(client("kms"), chosen.names.get("SECRETS_KEY", "")), chosen.server_variables, clock()
    )
    return RunPorts(
        steps=StepRepository(dynamo(), packer(), secrets, chosen),
        plans=PlanRepository(dynamo(), packer(), chosen),
        states=StateRepository(dynamo(), packer(), chosen),
        clock=clock(),
        limits=chosen.limits,
    )


@cache
def _runner(build: Callable[[Settings], Processor]) -> NodeRunner:
    return NodeRunner(build(settings()), run_ports())


def run_node(
    event: dict[str, object], context: LambdaContext, build: Callable[[Settings], Processor]
) -> Answer:
    """Answer the walker for one node; `build` makes the processor, once per process."""
    return handle(_runner(build), event, context)


class Runner(Protocol):
    """Answers the walker."""

    def handle(self, event: dict[str, object], remaining_seconds: float) -> Answer:
        """One invocation."""


def handle(runner: Runner, event: dict[str, object], context: LambdaContext) -> Answer:
    """Run one invocation with its ids in every log line."""
    run = event.get("run")
    ids = run if isinstance(run, dict) else {}
    with log_context(
        request_id=context.aws_request_id,
        execution_id=ids.get("executionId"),
        task_id=ids.get("taskId"),
        owner=ids.get("owner"),
        node_id=event.get("nodeId"),
    ):
        return runner.handle(event, context.get_remaining_time_in_millis() / 1000)
