"""The queue of notices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from task_engine.aws.batch_sending import Message, send_batch
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.services.operators import QueuedNotice

_MOST_BYTES = 250_000
"""Of the messages of one call, which may have 256 KiB:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""
_MOST_MESSAGES = 10


class SqsNoticeQueue:
    """Implements NoticeQueue; fair per owner of the tasks."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def send(self, notices: Sequence[QueuedNotice]) -> None:
        """A call for every ten, fewer large ones; raises Unavailable."""
        url = self._settings.name("NOTICE_QUEUE_URL")
        for some in _calls(notices):
            send_batch(self._client, url, [Message(each.body, each.owner) for each in some])


def _calls(notices: Sequence[QueuedNotice]) -> Iterator[list[QueuedNotice]]:
    some: list[QueuedNotice] = []
    size = 0
    for notice in notices:
        length = len(notice.body.encode("utf-8", "surrogatepass"))
        if some and (len(some) == _MOST_MESSAGES or size + length > _MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(notice)
        size += length
    if some:
        yield some
