"""The execution queue."""

from __future__ import annotations

import json
from collections.abc import Sequence

from task_engine.aws.batch_sending import Message, send_all
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
        self._client.call(
            "SendMessage",
            {
                "QueueUrl": self._url,
                "MessageBody": _body(execution),
                "MessageGroupId": execution.owner,
            },
        )

    def enqueue_all(self, executions: Sequence[Execution]) -> None:
        """Ten in a call; raises Unavailable, after which some may be there."""
        send_all(self._client, self._url, [Message(_body(e), e.owner) for e in executions])

    @property
    def _url(self) -> str:
        return self._settings.name("EXECUTION_QUEUE_URL")


def _body(execution: Execution) -> str:
    return json.dumps(
        {
            "executionId": execution.id,
            "taskId": execution.task_id,
            "owner": execution.owner,
        }
    )
