"""The execution queue."""

from __future__ import annotations

import json

from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.model.execution import Execution


class SqsExecutionQueue:
    """Implements ExecutionQueue. The message group makes a standard queue fair per owner:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def enqueue(self, execution: Execution) -> None:
        """Ids only; raises Unavailable."""
        body = {
            "executionId": execution.id,
            "taskId": execution.task_id,
            "owner": execution.owner,
        }
        self._client.call(
            "SendMessage",
            {
                "QueueUrl": self._settings.name("EXECUTION_QUEUE_URL"),
                "MessageBody": json.dumps(body),
                "MessageGroupId": execution.owner,
            },
        )
