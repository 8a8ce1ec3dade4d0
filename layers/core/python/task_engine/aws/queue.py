"""The execution queue."""

from __future__ import annotations

import json
from collections.abc import Sequence

from task_engine.aws.batch_sending import Message, send_batch
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.model.execution import Execution

_AT_ONCE = 10


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
        for start in range(0, len(executions), _AT_ONCE):
            some = executions[start : start + _AT_ONCE]
            send_batch(self._client, self._url, [Message(_body(e), e.owner) for e in some])

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
