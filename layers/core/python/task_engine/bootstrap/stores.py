"""Wiring of the repositories that API and background functions share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from task_engine.aws.execution_repository import ExecutionRepository
from task_engine.aws.plan_repository import PlanRepository
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.step_repository import StepRepository
from task_engine.aws.task_repository import TaskRepository
from task_engine.aws.vault import Vault
from task_engine.bootstrap.core import client, clock, dynamo, packer, settings

# What most requests don't need is loaded by the first one that does.
if TYPE_CHECKING:
    from task_engine.aws.queue import SqsExecutionQueue
    from task_engine.aws.schedules import SchedulerSchedules
    from task_engine.aws.wait_repository import WaitRepository
    from task_engine.aws.walker import StepFunctionsWalker


@cache
def tasks() -> TaskRepository:
    """Tasks of owners."""
    return TaskRepository(dynamo(), packer(), settings())


@cache
def executions() -> ExecutionRepository:
    """Executions of tasks."""
    return ExecutionRepository(dynamo(), packer(), settings())


@cache
def plans() -> PlanRepository:
    """Plans of tasks."""
    return PlanRepository(dynamo(), packer(), settings())


@cache
def steps() -> StepRepository:
    """Steps of executions; without a key, since nothing here decrypts."""
    secrets = SecretReader(Vault(client("kms"), ""), {}, clock())
    return StepRepository(dynamo(), packer(), secrets, settings())


@cache
def schedules() -> SchedulerSchedules:
    """Schedules of tasks."""
    from task_engine.aws.schedules import SchedulerSchedules  # noqa: PLC0415

    return SchedulerSchedules(client("scheduler"), settings(), clock())


@cache
def queue() -> SqsExecutionQueue:
    """The execution queue."""
    from task_engine.aws.queue import SqsExecutionQueue  # noqa: PLC0415

    return SqsExecutionQueue(client("sqs"), settings())


@cache
def walker() -> StepFunctionsWalker:
    """Both state machines."""
    from task_engine.aws.walker import StepFunctionsWalker  # noqa: PLC0415

    return StepFunctionsWalker(client("states"), settings())


@cache
def waits() -> WaitRepository:
    """Waits of executions."""
    from task_engine.aws.wait_repository import WaitClients, WaitRepository  # noqa: PLC0415

    clients = WaitClients(client("states"), schedules())
    return WaitRepository(dynamo(), packer(), clients, settings())
