"""Runs a case in one process: validate, compile, walk with the real processors, show as the API."""

from __future__ import annotations

import time
from typing import Any

from task_engine.api.wire_execution import detail_json
from task_engine.clock import SystemClock
from task_engine.compiler.compile import compile_definition
from task_engine.compiler.validate import TaskDraft, ValidationRules, validate_task
from task_engine.config import Limits
from task_engine.ids import new_id
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.node import NodeType
from task_engine.model.plan import Plan
from task_engine.model.secret import SecretValue
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.branch import BranchProcessor
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.processors.filter import FilterProcessor
from task_engine.processors.graphql_query import GraphqlQueryProcessor
from task_engine.processors.loop import LoopProcessor
from task_engine.processors.rest_api import RestApiProcessor
from task_engine.run.finish import skipped_nodes, status_of
from task_engine.run.in_process import InProcessWalker
from task_engine.run.loop_runner import LoopRunner
from task_engine.run.memory import MemoryRun, ScratchState
from task_engine.run.node_runner import NodeRunner, RunPorts
from task_engine.run.ports import Run
from task_engine.services.executions import ExecutionDetail
from task_engine.services.firing import Firing, trigger_record

from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from tests.cases.case import Case, Seen, Servers

LIMITS = Limits()
RUNNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"


def servers_of(http_server: HttpServer, graphql_server: GraphqlServer) -> Servers:
    """Base URLs of running servers."""
    return Servers(http_server.url.rstrip("/"), graphql_server.url)


def runners(
    run: MemoryRun, state: ScratchState, allowed: tuple[str, ...]
) -> dict[NodeType, NodeRunner]:
    """The node runners of the product, on memory."""
    ports = RunPorts(run, run, state, SystemClock(), LIMITS)
    http = SafeHttp(EgressPolicy(allowed), LIMITS)
    loop = LoopProcessor(
        {
            NodeType.REST_API: lambda: RestApiProcessor(http),
            NodeType.GRAPHQL_QUERY: lambda: GraphqlQueryProcessor(http),
            NodeType.CUSTOM_CODE: lambda: CustomCodeProcessor(LIMITS),
        }
    )
    return {
        NodeType.REST_API: NodeRunner(RestApiProcessor(http), ports),
        NodeType.GRAPHQL_QUERY: NodeRunner(GraphqlQueryProcessor(http), ports),
        NodeType.CUSTOM_CODE: NodeRunner(CustomCodeProcessor(LIMITS), ports),
        NodeType.BRANCH: NodeRunner(BranchProcessor(LIMITS), ports),
        NodeType.FILTER: NodeRunner(FilterProcessor(LIMITS), ports),
        NodeType.LOOP: LoopRunner(loop, ports),
    }


def run_in_process(case: Case, servers: Servers) -> Seen:
    """The last of the case's runs, as the API would show it."""
    now = SystemClock().now_ms()
    rules = ValidationRules(LIMITS, frozenset({11155111}), now)
    draft = validate_task(case.body(servers, RUNNER), rules)
    plan = compile_definition(draft.definition)
    state = ScratchState()
    shown: dict[str, Any] = {}
    for number in range(case.runs):
        shown = _run_once(case, draft, plan, (state, number))
    return Seen(shown)


def _run_once(
    case: Case, draft: TaskDraft, plan: Plan, nth: tuple[ScratchState, int]
) -> dict[str, Any]:
    state, number = nth
    execution = _execution(case, draft, number)
    memory = MemoryRun(plan, execution, {k: SecretValue(v) for k, v in case.secrets.items()})
    allowed = ("127.0.0.1", "localhost")
    run = Run(execution.id, execution.task_id, execution.owner, 1, "in-process")
    InProcessWalker(runners(memory, state, allowed), time.sleep).walk(run, plan)
    steps = memory.steps(execution.id)
    status, error = status_of(steps)
    done = _finished(execution, status, error, skipped_nodes(plan, steps))
    shown: dict[str, Any] = detail_json(ExecutionDetail(done, tuple(steps), plan))
    return shown


def _execution(case: Case, draft: TaskDraft, number: int) -> Execution:
    now = SystemClock().now_ms()
    task = Task(
        id=new_id(), owner=RUNNER, wallet=draft.wallet, name=draft.name,
        definition=draft.definition, status=TaskStatus.ENABLED, created_at=now,
    )  # fmt: skip
    firing = Firing(
        type=TriggerType.MANUAL,
        output=case.call.get("triggerOutput"),
        variables=case.call.get("triggerInput", {}),
    )
    return Execution(
        id=new_id(), task_id=task.id, owner=RUNNER, index=number,
        status=ExecutionStatus.PENDING,
        trigger=trigger_record(task, firing, LIMITS, now),
        context=RunContext("Enabled", number + 1, 0, 0),
        start_at=now,
    )  # fmt: skip


def _finished(
    execution: Execution, status: ExecutionStatus, error: str, skipped: tuple[str, ...]
) -> Execution:
    return Execution(
        id=execution.id, task_id=execution.task_id, owner=execution.owner,
        index=execution.index, status=status, trigger=execution.trigger,
        context=execution.context, start_at=execution.start_at,
        end_at=SystemClock().now_ms(), error=error, skipped=skipped,
    )  # fmt: skip
