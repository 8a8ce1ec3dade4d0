"""The queue of notices."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.aws.batch_sending import Message, send_all
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.services.operators import QueuedNotice


class SqsNoticeQueue:
    """Implements NoticeQueue; fair per owner of the tasks."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def send(self, notices: Sequence[QueuedNotice]) -> None:
        """As few calls as take them; raises Unavailable."""
        url = self._settings.name("NOTICE_QUEUE_URL")
        send_all(self._client, url, [Message(each.body, each.owner) for each in notices])
