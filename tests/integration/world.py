"""What the integration tests work with: adapters on one emulator, and small domain objects."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

from task_engine.aws.blobs import BlobStore
from task_engine.aws.dynamo import Dynamo
from task_engine.aws.execution_repository import ExecutionRepository
from task_engine.aws.packed import Packer
from task_engine.aws.plan_repository import PlanRepository
from task_engine.aws.secret_reader import SecretReader
from task_engine.aws.secret_repository import SecretRepository
from task_engine.aws.step_repository import StepRepository
from task_engine.aws.task_repository import TaskRepository
from task_engine.aws.vault import Vault
from task_engine.aws.wire import AwsClient
from task_engine.config import Limits, Settings
from task_engine.ids import new_id
from task_engine.model.edge import Edge
from task_engine.model.execution import Execution
from task_engine.model.json_value import JsonValue
from task_engine.model.node import Node, NodeType
from task_engine.model.plan import Lane, Plan, PlanNode, RunClass, Stage
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.run.ports import Run
from task_engine.services.ports import OccurrenceLife

from tests.fakes.clock import START_MS, FakeClock

TTL_SECONDS = 3600
LIFE = OccurrenceLife(TTL_SECONDS)
MANUAL = Trigger("t", "start", TriggerType.MANUAL, {})


@dataclass
class World:
    """One deployment's worth of adapters; `calls` lists every AWS call by (service, operation)."""

    settings: Settings
    boto: Any
    clock: FakeClock = field(default_factory=FakeClock)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def client(self, service: str) -> AwsClient:
        """A client whose calls are listed."""
        return AwsClient(service, self.settings.region, lambda *call: self.calls.append(call))

    @property
    def dynamo(self) -> Dynamo:
        return Dynamo(self.client("dynamodb"))

    @property
    def packer(self) -> Packer:
        return Packer(
            lambda: BlobStore(self.client("s3"), self.settings.name("BLOB_BUCKET")),
            self.settings.limits.inline_output_bytes,
        )

    @property
    def vault(self) -> Vault:
        return Vault(self.client("kms"), self.settings.name("SECRETS_KEY"))

    def tasks(self) -> TaskRepository:
        return TaskRepository(self.dynamo, self.packer, self.settings)

    def executions(self) -> ExecutionRepository:
        return ExecutionRepository(self.dynamo, self.packer, self.settings)

    def plans(self) -> PlanRepository:
        return PlanRepository(self.dynamo, self.packer, self.settings)

    def steps(self) -> StepRepository:
        """A new one stands for a new process: nothing is remembered yet."""
        reader = SecretReader(self.vault, self.settings.server_variables, self.clock)
        return StepRepository(self.dynamo, self.packer, reader, self.settings)

    def secrets(self) -> SecretRepository:
        return SecretRepository(self.dynamo, self.vault, self.settings)

    def operations(self) -> list[str]:
        """Names of the calls since the last time."""
        names = [operation for _, operation in self.calls]
        self.calls.clear()
        return names

    def items(self, table: str) -> list[dict[str, Any]]:
        """All raw items of a table."""
        pages = self.boto.client("dynamodb").get_paginator("scan")
        name = self.settings.name(table)
        return [i for page in pages.paginate(TableName=name) for i in page["Items"]]

    def blobs(self) -> set[str]:
        """Keys of all objects."""
        pages = self.boto.client("s3").get_paginator("list_objects_v2")
        bucket = self.settings.name("BLOB_BUCKET")
        return {
            o["Key"] for page in pages.paginate(Bucket=bucket) for o in page.get("Contents", [])
        }

    def given_task(self, **changes: object) -> Task:
        """A stored task of an owner that nobody else uses."""
        task = a_task(**changes)
        self.tasks().create(task, a_plan(), 1000)
        return task

    def given_execution(self, task: Task, data: JsonValue = None) -> Execution:
        """A pending execution of it."""
        record = TriggerRecord(TriggerType.MANUAL, data)
        identifier = new_id(self.clock.now_ms())
        return (
            self.executions()
            .admit(task, f"call:{identifier}", identifier, record, self.clock.now_ms(), LIFE)
            .execution
        )


def an_owner() -> str:
    """An address that no other test uses."""
    return "0x" + os.urandom(20).hex()


def a_task(**changes: object) -> Task:
    """An enabled task with a manual trigger and one node."""
    definition = Definition(
        trigger=MANUAL,
        nodes=(Node("n", "work", NodeType.CUSTOM_CODE, {"source": "return 1"}),),
        edges=(Edge("e", "t", "n"),),
        input_variables={"settings": {"runner": "0xabc"}},
    )
    task = Task(
        id=new_id(),
        owner=an_owner(),
        wallet="0xwallet",
        name="a task",
        definition=definition,
        status=TaskStatus.ENABLED,
        created_at=START_MS,
        max_execution=1000,
    )
    return replace(task, **changes)  # type: ignore[arg-type]


def a_plan(run_class: RunClass = RunClass.EXPRESS, source: str = "return 1") -> Plan:
    """The plan of that task."""
    node = PlanNode("n", "work", NodeType.CUSTOM_CODE, {"source": source}, 1)
    return Plan(
        trigger=MANUAL,
        nodes={"n": node},
        stages=(Stage((Lane(("t",), ("n",)),), fan=False),),
        run_class=run_class,
        input_variables={"settings": {"runner": "0xabc"}},
    )


def run_of(execution: Execution, walk: str = "walk-1") -> Run:
    """That execution as a walk sees it."""
    return Run(execution.id, execution.task_id, execution.owner, execution.plan_version, walk)


def small_limits() -> Limits:
    """Values above 2 kB count as large."""
    return Limits(inline_output_bytes=2_000)
