"""The engine's own repositories and use cases, wired to a deployment from outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from task_engine.aws.blobs import BlobStore
from task_engine.aws.dynamo import Dynamo
from task_engine.aws.event_bus import EventBus
from task_engine.aws.execution_repository import ExecutionRepository
from task_engine.aws.packed import Packer
from task_engine.aws.plan_repository import PlanRepository
from task_engine.aws.schedules import SchedulerSchedules
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.step_repository import StepRepository
from task_engine.aws.task_repository import TaskRepository
from task_engine.aws.vault import Vault
from task_engine.aws.wait_repository import WaitClients, WaitRepository
from task_engine.aws.walker import StepFunctionsWalker
from task_engine.aws.wire import AwsClient
from task_engine.clock import SystemClock
from task_engine.config import Settings
from task_engine.run.finish import FinishExecution
from task_engine.services.resume import ResumeService

from infra_cdk.ops.deployment import Deployment


class Engine:
    """Everything is made when first used, and goes by the credentials of whoever calls."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.settings = Settings.from_env(deployment.environment)
        self.clock = SystemClock()

    def client(self, service: str) -> AwsClient:
        """One of the engine's clients."""
        return AwsClient(service, self.settings.region)

    def scan(self, table: str) -> Iterator[dict[str, Any]]:
        """Every item of a table, consistently read, in DynamoDB's own JSON."""
        request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
        while True:
            page = self.client("dynamodb").call("Scan", request)
            yield from page.get("Items", [])
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    @cached_property
    def dynamo(self) -> Dynamo:
        """The tables."""
        return Dynamo(self.client("dynamodb"))

    @cached_property
    def packer(self) -> Packer:
        """Packed attributes."""
        s3, bucket = self.client("s3"), self.settings.name("BLOB_BUCKET")
        return Packer(lambda: BlobStore(s3, bucket), self.settings.limits.inline_output_bytes)

    @cached_property
    def tasks(self) -> TaskRepository:
        """Tasks."""
        return TaskRepository(self.dynamo, self.packer, self.settings)

    @cached_property
    def executions(self) -> ExecutionRepository:
        """Executions."""
        return ExecutionRepository(self.dynamo, self.packer, self.settings)

    @cached_property
    def plans(self) -> PlanRepository:
        """Plans."""
        return PlanRepository(self.dynamo, self.packer, self.settings)

    @cached_property
    def steps(self) -> StepRepository:
        """Steps; nothing here decrypts."""
        reader = SecretReader(Vault(self.client("kms"), ""), {}, self.clock)
        return StepRepository(self.dynamo, self.packer, reader, self.settings)

    @cached_property
    def schedules(self) -> SchedulerSchedules:
        """Schedules."""
        return SchedulerSchedules(self.client("scheduler"), self.settings, self.clock)

    @cached_property
    def waits(self) -> WaitRepository:
        """Waits."""
        clients = WaitClients(self.client("states"), self.schedules)
        return WaitRepository(self.dynamo, self.packer, clients, self.settings)

    @cached_property
    def walker(self) -> StepFunctionsWalker:
        """Both machines."""
        return StepFunctionsWalker(self.client("states"), self.settings)

    @cached_property
    def finish(self) -> FinishExecution:
        """The end of executions, announced as any other."""
        bus = EventBus(self.client("events"), self.settings)
        return FinishExecution(self.steps, self.plans, self.executions, bus, self.clock)

    @cached_property
    def resume(self) -> ResumeService:
        """Walking again."""
        return ResumeService(self.executions, self.plans, self.walker, self.clock)
