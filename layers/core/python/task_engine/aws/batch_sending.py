"""Up to ten messages in one call, all of them or an error.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from task_engine.aws.wire import AwsClient
from task_engine.errors import Unavailable

_TRIES = 4


@dataclass(frozen=True, slots=True)
class Message:
    """A body, and the group that a standard queue is fair to."""

    body: str
    group: str


def send_batch(client: AwsClient, queue_url: str, messages: Sequence[Message]) -> None:
    """Send them, those that the queue did not take again; raises Unavailable when some stay out."""
    left = dict(enumerate(messages))
    for attempt in range(_TRIES):
        entries = [
            {"Id": str(place), "MessageBody": message.body, "MessageGroupId": message.group}
            for place, message in left.items()
        ]
        answer = client.call("SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries})
        left = {int(each["Id"]): left[int(each["Id"])] for each in answer.get("Failed") or []}
        if not left:
            return
        time.sleep(random.uniform(0, 0.05 * 2**attempt))
    raise Unavailable("the queue does not take messages")
