"""Notices straight to the engine's queue, for operators with AWS credentials."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from task_engine.aws.wire import AwsClient
from task_engine.config import Settings
from task_engine.errors import Unavailable
from task_engine.observability import metric
from task_engine.operator.findings import Finding
from task_engine.operator.notices import NoticeWriter

log = logging.getLogger(__name__)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
_MOST_MESSAGES = 10
_MOST_BYTES = 262_144
_ROUNDS = 3
_SIGNERS = 4


@dataclass(frozen=True, slots=True)
class _Message:
    body: str
    owner: str

    @property
    def size(self) -> int:
        return len(self.body.encode())


class SqsNotifier:
    """Implements Notifier: signs, then sends ten at a time; each owner is a message group, so that
    one owner's busy tasks do not hold up the others'."""

    def __init__(self, client: AwsClient, settings: Settings, writer: NoticeWriter) -> None:
        self._client = client
        self._settings = settings
        self._writer = writer

    def send(self, findings: Sequence[Finding]) -> None:
        """As Notifier says; raises Unavailable. A notice that no message can hold is left out with
        an error: it would hold up all that come after it for ever."""
        for batch in _batches(self._signed(findings)):
            self._send(batch)

    def _signed(self, findings: Sequence[Finding]) -> Iterator[_Message]:
        if len(findings) == 1:
            yield self._message(findings[0])
            return
        # Each signature is a round trip to the key service.
        with ThreadPoolExecutor(_SIGNERS) as pool:
            yield from pool.map(self._message, findings)

    def _message(self, finding: Finding) -> _Message:
        notice = self._writer.write(finding)
        text = json.dumps(notice, ensure_ascii=False, separators=(",", ":"))
        return _Message(text, finding.owner)

    def _send(self, batch: Sequence[_Message]) -> None:
        waiting = dict(enumerate(batch))
        for _ in range(_ROUNDS):
            answer = self._client.call(
                "SendMessageBatch",
                {
                    "QueueUrl": self._settings.name("NOTICE_QUEUE_URL"),
                    "Entries": [
                        {
                            "Id": str(number),
                            "MessageBody": message.body,
                            "MessageGroupId": message.owner,
                        }
                        for number, message in waiting.items()
                    ],
                },
            )
            failed = {int(entry["Id"]) for entry in answer.get("Failed") or []}
            waiting = {number: waiting[number] for number in failed}
            if not waiting:
                return
        raise Unavailable("the notice queue does not take all notices")


def _batches(messages: Iterator[_Message]) -> Iterator[list[_Message]]:
    batch: list[_Message] = []
    size = 0
    for message in messages:
        if message.size > _MOST_BYTES:
            metric("NoticeTooLarge")
            log.error("a notice is too large to be sent", extra={"owner": message.owner})
            continue
        if batch and (len(batch) == _MOST_MESSAGES or size + message.size > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
