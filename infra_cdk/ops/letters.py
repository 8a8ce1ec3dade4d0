"""Dead letters: what they are, and sending them where they were to go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra_cdk.ops.deployment import Deployment, OpsError

_SOURCES = {"Executions": "ExecutionQueueUrl", "Notices": "NoticeQueueUrl"}
# Long enough to handle all that one command reads.
_HELD_SECONDS = 120
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter in `queue`; `handle` is good until it becomes visible again."""

    queue: str
    id: str
    body: str
    sent_at: int
    group: str
    target_arn: str
    reason: str
    handle: str


def queues(deployment: Deployment) -> dict[str, str]:
    """URLs of the queues of dead letters by their names."""
    begin, end = "DeadLetters", "Url"
    return {
        name.removeprefix(begin).removesuffix(end): url
        for name, url in sorted(deployment.outputs.items())
        if name.startswith(begin)
    }


def depths(deployment: Deployment) -> dict[str, int]:
    """How many letters each queue holds, about."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    client = deployment.client("sqs")
    found = {}
    for queue, url in queues(deployment).items():
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        found[queue] = sum(int(answer.get(name, 0)) for name in names)
    return found


class Letters:
    """The letters of one queue, held while the block lasts: nobody else gets them meanwhile."""

    def __init__(self, deployment: Deployment, queue: str) -> None:
        known = queues(deployment)
        if queue not in known:
            raise OpsError(f"no queue {queue}; there are {', '.join(known)}")
        self._deployment = deployment
        self._queue = queue
        self._url = known[queue]
        self._held: dict[str, Letter] = {}

    def __enter__(self) -> Sequence[Letter]:
        self._held = {letter.id: letter for letter in self._receive()}
        return sorted(self._held.values(), key=lambda letter: (letter.sent_at, letter.id))

    def __exit__(self, *_: object) -> None:
        for letter in self._held.values():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=letter.handle, VisibilityTimeout=0
            )

    def remove(self, letter: Letter) -> None:
        """Take it out for good."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.handle)
        del self._held[letter.id]

    def redrive(self, letter: Letter) -> str:
        """Send it where it was to go, then remove it; tells where that was.

        A process that dies in between leaves both: whatever handles it takes it once."""
        source = _SOURCES.get(self._queue)
        if source is not None:
            group = {"MessageGroupId": letter.group} if letter.group else {}
            self._client.send_message(
                QueueUrl=self._deployment.output(source), MessageBody=letter.body, **group
            )
            self.remove(letter)
            return source
        function = _function_of(self._deployment, letter)
        self._deployment.client("lambda").invoke(
            FunctionName=self._deployment.functions()[function],
            InvocationType="Event",
            Payload=letter.body.encode(),
        )
        self.remove(letter)
        return function

    def _receive(self) -> Iterator[Letter]:
        seen: set[str] = set()
        while len(seen) < _MOST:
            found = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HELD_SECONDS,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            new = [message for message in found if message["MessageId"] not in seen]
            if not new:
                return
            seen.update(message["MessageId"] for message in new)
            yield from (_letter(self._queue, message) for message in new)

    @property
    def _client(self) -> Any:  # noqa: ANN401 - boto3's own
        return self._deployment.client("sqs")


def _letter(queue: str, message: dict[str, Any]) -> Letter:
    system = message.get("Attributes", {})
    said = {
        name: str(value.get("StringValue", ""))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    code = said.get("ERROR_CODE") or said.get("ErrorCode") or ""
    text = said.get("ERROR_MESSAGE") or said.get("ErrorMessage") or ""
    return Letter(
        queue=queue,
        id=message["MessageId"],
        body=message["Body"],
        sent_at=int(system.get("SentTimestamp", 0)),
        group=system.get("MessageGroupId", ""),
        target_arn=said.get("TARGET_ARN", ""),
        reason=f"{code} {text}".strip(),
        handle=message["ReceiptHandle"],
    )


def _function_of(deployment: Deployment, letter: Letter) -> str:
    """Who was to get it: what the rule that sent it says, else the one that takes such events."""
    functions = deployment.functions()
    for name, deployed in functions.items():
        if letter.target_arn.endswith(f":{deployed}"):
            return name
    name = _taker(letter.body)
    if name not in functions:
        raise OpsError(f"letter {letter.id} fits no function: read it, then discard it")
    return name


def _taker(body: str) -> str:
    try:
        event = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(event, dict):
        return ""
    if event.get("kind") in ("schedule", "wait"):
        return "Trigger"
    if event.get("source") == "aws.states" or "run" in event:
        return "FinishExecution"
    if type(event.get("chainId")) is int:
        return "Operator"
    scheduled = event.get("detail-type") == "Scheduled Event"
    return "Sweeper" if scheduled or not event else ""
