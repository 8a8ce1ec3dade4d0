"""A stage whose functions can be made to fail, and what its tables and queues say afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from infra_cdk.local.client import ApiClient
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage
from infra_cdk.local.waiting import wait_until
from tests.e2e.engine import Deployment
from tests.faults.control import Control, control_server

Json = Any
INJECTED = Path(__file__).parent / "injected"
LETTERS = ("Executions", "Notices", "FailedEvents", "MissedEvents", "MissedSchedules")
FINAL = ("success", "failed", "error")
_SERVICES = ("dynamodb", "sqs", "lambda", "stepfunctions", "events", "scheduler")
# Small enough that the samples reach every path: blobs beside rows, loops in chunks.
_LIMITS = {"TASK_ENGINE_INLINE_OUTPUT_BYTES": "1500", "TASK_ENGINE_LOOP_CHUNK_ITEMS": "2"}


@dataclass(frozen=True)
class FaultWorld:
    """The stage, its counterparts, and who tells its functions to fail."""

    stage: LocalStage
    control: Control
    http: HttpServer
    graphql: GraphqlServer
    announced: str

    @property
    def deployment(self) -> Deployment:
        return Deployment(self.stage)

    @property
    def anonymous(self) -> ApiClient:
        return ApiClient(self.stage.base_url)

    def rows(self, table: str, key: str, value: str) -> list[dict[str, Json]]:
        """All rows of a partition."""
        pages = self.stage.aws.client("dynamodb").get_paginator("query")
        found = pages.paginate(
            TableName=self.deployment.output(table),
            KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": key},
            ExpressionAttributeValues={":v": {"S": value}},
            ConsistentRead=True,
        )
        plain = TypeDeserializer().deserialize
        return [{k: plain(v) for k, v in i.items()} for page in found for i in page["Items"]]

    def executions(self, task: str) -> list[dict[str, Json]]:
        """Headers of a task's executions, by index."""
        return sorted(self.rows("TableExecutions", "taskId", task), key=lambda row: row["index"])

    def task(self, owner: str, task: str) -> dict[str, Json]:
        """A task's row; of a deleted one its status alone."""
        rows = [r for r in self.rows("TableTasks", "owner", owner) if r["sk"] == f"task#{task}"]
        return rows[0] if rows else {"status": "deleted"}

    def walking(self, execution: str) -> bool:
        """Whether some walk of an execution goes on."""
        client = self.stage.aws.client("stepfunctions")
        for machine in ("WalkExpressArn", "WalkStandardArn"):
            arn = self.deployment.output(machine).replace(":stateMachine:", ":execution:")
            for name in (execution, *(f"{execution}-{n}" for n in range(1, 4))):
                try:
                    status = client.describe_execution(executionArn=f"{arn}:{name}")["status"]
                except client.exceptions.ClientError:
                    continue
                if status == "RUNNING":
                    return True
        return False

    def age(self, execution: dict[str, Json], minutes: int, *, claims: bool = True) -> None:
        """Let so much time pass for an execution, and for its claims."""
        ms = minutes * 60_000
        key = {"taskId": execution["taskId"], "id": execution["id"]}
        started = int(execution["startAt"]) - ms
        self.deployment.change("TableExecutions", key, startAt=started)
        for row in self.rows("TableSteps", "executionId", execution["id"]) if claims else []:
            if row["status"] == "running" and row.get("leaseUntil"):
                place = {"executionId": execution["id"], "sk": row["sk"]}
                left = int(row["leaseUntil"]) - ms
                self.deployment.change("TableSteps", place, leaseUntil=left)

    def depth(self, url: str) -> int:
        """Messages in a queue, those at work included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        client = self.stage.aws.client("sqs")
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def left_in_queues(self) -> dict[str, int]:
        """Queues that are not empty."""
        names = ["ExecutionQueueUrl", "NoticeQueueUrl", *(f"DeadLetters{n}Url" for n in LETTERS)]
        depths = {name: self.depth(self.deployment.output(name)) for name in names}
        return {name: depth for name, depth in depths.items() if depth}

    def announcements(self) -> set[str]:
        """Ids of executions whose end was announced since the last time."""
        client = self.stage.aws.client("sqs")
        found: set[str] = set()
        while True:
            answer = client.receive_message(QueueUrl=self.announced, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return found
            for message in messages:
                found.add(str(json.loads(message["Body"])["detail"]["executionId"]))
                client.delete_message(
                    QueueUrl=self.announced, ReceiptHandle=message["ReceiptHandle"]
                )


@contextmanager
def fault_world(
    name: str, http: HttpServer, graphql: GraphqlServer, failed: Callable[[], object]
) -> Iterator[FaultWorld]:
    """A stage of its own; its logs stay when something has `failed` by its end."""
    stage = start_stage(LocalSettings.for_own_stage(), name, progress=lambda _: None)
    try:
        for service in _SERVICES:
            stage.aws.client(service)
        with control_server() as control:
            control.tables |= {
                value: key.removeprefix("Table").lower()
                for outputs in stage.outputs.values()
                for key, value in outputs.items()
                if key.startswith("Table")
            }
            prepare(stage, control)
            yield FaultWorld(stage, control, http, graphql, _listen(stage))
    finally:
        stage.stop(keep_logs=bool(failed()))


def prepare(stage: LocalStage, control: Control) -> None:
    """Put the test's layer on the functions' path; let queues deliver again after seconds, one
    message at a time; let the sweeper run when it is asked to, only."""
    deployment, functions = Deployment(stage), stage.aws.client("lambda")
    more = {"PYTHONPATH": str(INJECTED), "FAULT_CONTROL": control.address, **_LIMITS}
    for outputs in stage.outputs.values():
        for key, name in outputs.items():
            if key.startswith("Function"):
                found = functions.get_function_configuration(FunctionName=name)
                variables = {**found["Environment"]["Variables"], **more}
                functions.update_function_configuration(
                    FunctionName=name, Environment={"Variables": variables}
                )
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=1)
    for queue in ("ExecutionQueueUrl", "NoticeQueueUrl"):
        stage.aws.client("sqs").set_queue_attributes(
            QueueUrl=deployment.output(queue), Attributes={"VisibilityTimeout": "2"}
        )
    rules = stage.aws.client("events")
    for rule in rules.list_rules()["Rules"]:
        if rule.get("ScheduleExpression"):
            rules.disable_rule(Name=rule["Name"])


def _listen(stage: LocalStage) -> str:
    """A queue that gets everything from the engine's event bus; returns its URL."""
    sqs, events = stage.aws.client("sqs"), stage.aws.client("events")
    bus = Deployment(stage).output("EventBus")
    url = sqs.create_queue(QueueName="announced")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"source": ["task-engine"]})
    events.put_rule(Name="announced", EventBusName=bus, EventPattern=pattern)
    target = {"Id": "queue", "Arn": arn["QueueArn"]}
    events.put_targets(Rule="announced", EventBusName=bus, Targets=[target])
    return str(url)


def persistently(api: ApiClient, method: str, path: str, body: Json, **more: Json) -> Json:
    """As a client does it: again after 5xx and conflicts, always with the same key."""
    headers = {"Idempotency-Key": f"key-{time.time_ns()}"}

    def answered() -> Json:
        answer = api.request(method, path, body, headers=headers, **more)
        return answer if answer.status < 500 and answer.status != 409 else None

    return wait_until(answered, f"{method} {path}", 150, 0.2)
