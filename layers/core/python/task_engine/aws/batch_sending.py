"""Messages to a queue, as many as go in a call, all of them or an error.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from task_engine.aws.wire import AwsClient
from task_engine.errors import Unavailable

_TRIES = 4
_MOST_MESSAGES = 10
_MOST_BYTES = 250_000
"""Of the messages of one call, which may have 256 KiB."""


@dataclass(frozen=True, slots=True)
class Message:
    """A body, and the group that a standard queue is fair to."""

    body: str
    group: str


def send_all(client: AwsClient, queue_url: str, messages: Sequence[Message]) -> None:
    """A call for every ten, fewer large ones; raises Unavailable, after which some may be there."""
    for some in _calls(messages):
        _send(client, queue_url, some)


def _send(client: AwsClient, queue_url: str, messages: Sequence[Message]) -> None:
    """One call, and again for those that the queue did not take."""
    left = dict(enumerate(messages))
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        entries = [
            {"Id": str(place), "MessageBody": message.body, "MessageGroupId": message.group}
            for place, message in left.items()
        ]
        answer = client.call("SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries})
        left = {int(each["Id"]): left[int(each["Id"])] for each in answer.get("Failed") or []}
        if not left:
            return
    raise Unavailable("the queue does not take messages")


def _calls(messages: Sequence[Message]) -> Iterator[list[Message]]:
    some: list[Message] = []
    size = 0
    for message in messages:
        length = len(message.body.encode("utf-8", "surrogatepass"))
        if some and (len(some) == _MOST_MESSAGES or size + length > _MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(message)
        size += length
    if some:
        yield some
