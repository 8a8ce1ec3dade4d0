"""Short ways to say what the end-to-end tests do with a deployed engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra_cdk.local.client import ApiClient
from infra_cdk.local.stage import LocalStage

Json = Any


def task_of(
    nodes: Sequence[Json], edges: Sequence[tuple[str, str]], trigger: Json = None, **more: Json
) -> dict[str, Json]:
    """A create request; a manual trigger `t` named `start` unless another is given."""
    manual = {"type": "manual", "config": {"lang": "json", "data": {"n": 1}}}
    return {
        "trigger": {"id": "t", "name": "start", **(trigger or manual)},
        "nodes": list(nodes),
        "edges": [
            {"id": f"e{i}", "source": source, "target": target}
            for i, (source, target) in enumerate(edges)
        ],
        **more,
    }


def one_node(source: str = "return 1", trigger: Json = None, **more: Json) -> dict[str, Json]:
    """A task of one customCode node named `run`."""
    node = {
        "id": "run",
        "name": "run",
        "type": "customCode",
        "config": {"lang": "javascript", "source": source},
    }
    return task_of([node], [("t", "run")], trigger, **more)


@dataclass(frozen=True)
class Deployment:
    """A stage's resources, by the names of its outputs."""

    stage: LocalStage

    def output(self, name: str) -> str:
        """One output of whichever stack has it."""
        return next(o[name] for o in self.stage.outputs.values() if name in o)

    def invoke(self, function: str, event: Json) -> Json:
        """Invoke a function of the engine, e.g. `Sweeper`."""
        client = self.stage.aws.client("lambda")
        answer = client.invoke(
            FunctionName=self.output(f"Function{function}"), Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        assert "FunctionError" not in answer, payload
        return payload

    def send(self, queue: str, *bodies: Json) -> None:
        """Send messages to a queue, e.g. `NoticeQueueUrl`."""
        client = self.stage.aws.client("sqs")
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            client.send_message(QueueUrl=self.output(queue), MessageBody=text)

    def messages(self, queue: str) -> list[str]:
        """Bodies that wait in a queue, left there."""
        client = self.stage.aws.client("sqs")
        answer = client.receive_message(
            QueueUrl=self.output(queue), MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def schedules(self, task_id: str) -> list[str]:
        """Names of a task's schedules."""
        client = self.stage.aws.client("scheduler")
        pages = client.get_paginator("list_schedules").paginate(
            GroupName=self.output("ScheduleGroup")
        )
        names = [schedule["Name"] for page in pages for schedule in page["Schedules"]]
        return sorted(name for name in names if name.startswith(task_id))

    def change(self, table: str, key: Json, **values: int | str) -> None:
        """Set attributes behind the engine's back: time that has passed, a lost write."""
        client = self.stage.aws.client("dynamodb")
        client.update_item(
            TableName=self.output(table),
            Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={
                f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value}
                for name, value in values.items()
            },
        )


def count_of(api: ApiClient, task_id: str) -> int:
    """Executions of a task."""
    return int(api.get("/executions:count", workflowId=task_id)["total"])


def statuses(api: ApiClient, task_id: str) -> list[str]:
    """Statuses of a task's executions, newest first."""
    return [e["status"] for e in api.get(f"/workflows/{task_id}/executions", limit=200)["data"]]
