"""A Python client of the task engine's HTTPS API."""

from task_engine_client.client import Client
from task_engine_client.errors import (
    ApiError,
    ProblemEntry,
    SignInUnavailable,
    TaskEngineError,
    Unreachable,
    WaitTimeout,
)
from task_engine_client.execution import (
    FINAL_STATUSES,
    Execution,
    ExecutionStats,
    ExecutionSummary,
    Step,
)
from task_engine_client.paging import Page
from task_engine_client.records import (
    Health,
    Operator,
    RunResult,
    Secret,
    Token,
    TokenMetadata,
    Wallet,
)
from task_engine_client.transport import Retries
from task_engine_client.version import VERSION
from task_engine_client.workflow import Edge, Node, Trigger, Workflow

__all__ = [
    "FINAL_STATUSES",
    "VERSION",
    "ApiError",
    "Client",
    "Edge",
    "Execution",
    "ExecutionStats",
    "ExecutionSummary",
    "Health",
    "Node",
    "Operator",
    "Page",
    "ProblemEntry",
    "Retries",
    "RunResult",
    "Secret",
    "SignInUnavailable",
    "Step",
    "TaskEngineError",
    "Token",
    "TokenMetadata",
    "Trigger",
    "Unreachable",
    "WaitTimeout",
    "Wallet",
    "Workflow",
]
