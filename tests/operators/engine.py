"""The functions `api_operators` and `trigger` as deployed, behind loopback and beside a queue."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from importlib import import_module
from random import Random
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from task_engine.aws.dynamo import Dynamo
from task_engine.aws.items import from_item
from task_engine.aws.packed import Packer
from task_engine.aws.task_repository import TaskRepository
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.ids import new_id
from task_engine.model.task import Definition, Task
from task_engine.model.trigger import Trigger, TriggerType

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.servers.loopback import Handler, LoopbackServer
from infra_cdk.local.settings import REGION
from tests.integration.world import a_plan, a_task
from tests.operators.chain import AHEAD_SECONDS
from tests.unit.api.events import proxy_event

CHAIN_ID = 31337
OWNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
_BATCH = 10


class _Api(Handler["Engine"]):
    def do_GET(self) -> None:  # noqa: N802
        self._handle("GET")

    def do_POST(self) -> None:  # noqa: N802
        self._handle("POST")

    def _handle(self, method: str) -> None:
        body = self.body()
        event = proxy_event(
            method,
            self.path.removeprefix("/api/v1"),
            body=body.decode() if body else None,
            headers=dict(self.headers.items()),
        )
        answer = self.owner.api(event, None)
        self.answer(answer["body"].encode(), "application/json", answer["statusCode"])


class Engine(LoopbackServer):
    """An engine of which operators see the API; its queue of notices is handled in a thread, each
    message `copies` times and in no order."""

    handler = _Api

    def __init__(self, aws: LocalAws, tables: dict[str, str], prefix: str, quorum: int = 1) -> None:
        super().__init__()
        self.aws = aws
        self.copies = 1
        self.handled = 0
        self._random = Random(11)
        self._prefix = prefix
        self._sqs = sqs = aws.client("sqs")
        self._notices = sqs.create_queue(QueueName=f"{prefix}notices")["QueueUrl"]
        aws.client("s3").create_bucket(Bucket=f"{prefix}blobs")
        key = aws.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        self.names = {
            **tables,
            "STAGE": "test",
            "OPERATORS": "*",
            "QUORUM": str(quorum),
            "NOTICE_QUEUE_URL": self._notices,
            "EXECUTION_QUEUE_URL": sqs.create_queue(QueueName=f"{prefix}runs")["QueueUrl"],
            "BLOB_BUCKET": f"{prefix}blobs",
            "TOKEN_KEY": key["KeyMetadata"]["KeyId"],
            "SCHEDULE_GROUP": "tasks",
            "RATE_LIMIT_PER_SECOND": "1000",
            "RATE_LIMIT_BURST": "1000",
            "OPERATOR_NOTICES_PER_MINUTE": "1000000",
        }
        environment = {f"TASK_ENGINE_{name}": value for name, value in self.names.items()}
        environment |= {
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
        }
        self._environment = patch.dict("os.environ", environment)
        self._draining = threading.Thread(target=self._drain, daemon=True)

    def __enter__(self) -> Self:
        self._environment.start()
        _forget()
        self.api = import_module("functions.api_operators.handler").lambda_handler
        self.trigger = import_module("functions.trigger.handler").lambda_handler
        settings = replace(Settings.from_env(), names=self.names)
        self._tables = AwsClient("dynamodb", REGION)
        self.tasks = TaskRepository(Dynamo(self._tables), Packer(_no_blobs, 200_000), settings)
        super().__enter__()
        self._draining.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._draining.join(timeout=30)
        _forget()
        self._environment.stop()

    def add_task(
        self, kind: TriggerType, config: dict[str, Any], owner: str = OWNER, **changes: Any
    ) -> Task:
        """A task with that trigger; what tests mine is after it, all else long before."""
        trigger = Trigger("t", "start", kind, {"chainId": CHAIN_ID, **config})
        plain = a_task(owner=owner)
        parts = plain.definition
        definition = Definition(trigger, parts.nodes, parts.edges, parts.input_variables)
        clock = import_module("task_engine.bootstrap.core").clock()
        now = clock.now_ms()
        task = replace(plain, id=new_id(now), definition=definition, created_at=now, **changes)
        task = replace(task, check_version=now + 1000 * AHEAD_SECONDS // 2)
        self.tasks.create(task, a_plan(), 100_000)
        return task

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, e.g. `GUARDS`."""
        asked: dict[str, Any] = {"TableName": self.names[f"TABLE_{table}"], "ConsistentRead": True}
        found: list[dict[str, Any]] = []
        while True:
            answer = self._tables.call("Scan", asked)
            found += [from_item(item) for item in answer["Items"]]
            if not answer.get("LastEvaluatedKey"):
                return found
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def operators(self) -> list[dict[str, Any]]:
        """As anybody may list them."""
        answer = self.api(proxy_event("GET", "/operators"), None)
        found: list[dict[str, Any]] = json.loads(answer["body"])["data"]
        return found

    def idle(self) -> bool:
        """Whether no notice waits or is at work; nothing that nobody works at is waited for."""
        assert self._draining.is_alive(), "the thread that handles notices has ended"
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._notices, AttributeNames=names)
        return all(found["Attributes"][name] == "0" for name in names)

    def _drain(self) -> None:
        """As the queue's event source would: batches of ten, what failed comes again."""
        sqs = self._sqs
        asked = {"QueueUrl": self._notices, "AttributeNames": ["SentTimestamp"]}
        while not self.ended.is_set():
            got: list[dict[str, Any]] = []
            for _ in range(5):
                answer = sqs.receive_message(**asked, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=0)
                got += answer.get("Messages", [])
                if not answer.get("Messages"):
                    break
            if not got:
                self.ended.wait(0.05)
                continue
            self._work(got)
            for start in range(0, len(got), _BATCH):
                entries = [
                    {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                    for n, message in enumerate(got[start : start + _BATCH])
                ]
                sqs.delete_message_batch(QueueUrl=self._notices, Entries=entries)

    def _work(self, messages: list[dict[str, Any]]) -> None:
        waiting = [
            {
                "messageId": f"{message['MessageId']}-{copy}",
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in messages
            for copy in range(self.copies)
        ]
        while waiting and not self.ended.is_set():
            self._random.shuffle(waiting)
            batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
            failures = self.trigger({"Records": batch}, None)["batchItemFailures"]
            failed = {failure["itemIdentifier"] for failure in failures}
            waiting += [record for record in batch if record["messageId"] in failed]
            self.handled += len(batch) - len(failed)


def _no_blobs() -> Any:
    raise AssertionError("nothing here is large")


def _forget() -> None:
    """What the wiring made for other variables."""
    for name, module in list(sys.modules.items()):
        if name.startswith("task_engine.bootstrap."):
            for made in vars(module).values():
                if hasattr(made, "cache_clear"):
                    made.cache_clear()
