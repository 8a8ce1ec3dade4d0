"""Messages to a queue: few calls, all of them there or an error."""

from __future__ import annotations

import json

import pytest
from task_engine.aws.batch_sending import Message, send_all
from task_engine.aws.wire import AwsClient
from task_engine.errors import Unavailable

from tests.unit.aws.endpoint import Answer, Endpoint

QUEUE = "http://queue.example/1/notices"


@pytest.fixture
def sqs(endpoint: Endpoint) -> AwsClient:
    return AwsClient("sqs", "eu-central-1")


def sent(endpoint: Endpoint) -> list[list[str]]:
    """The bodies of each call."""
    calls = [json.loads(request.body)["Entries"] for request in endpoint.received]
    return [[entry["MessageBody"] for entry in entries] for entries in calls]


def messages(*bodies: str) -> list[Message]:
    return [Message(body, "owner") for body in bodies]


def failed(*places: int) -> Answer:
    """The queue did not take these messages of the call."""
    entries = [{"Id": str(place), "SenderFault": False, "Code": "Internal"} for place in places]
    return Answer(body=json.dumps({"Successful": [], "Failed": entries}).encode())


def test_ten_go_in_a_call(sqs: AwsClient, endpoint: Endpoint) -> None:
    bodies = [str(n) for n in range(23)]
    send_all(sqs, QUEUE, messages(*bodies))
    assert sent(endpoint) == [bodies[:10], bodies[10:20], bodies[20:]]


def test_large_ones_go_in_calls_of_their_own(sqs: AwsClient, endpoint: Endpoint) -> None:
    half, whole = "ü" * 60_000, "x" * 240_000
    send_all(sqs, QUEUE, messages("a", half, half, "b", whole, whole))
    assert sent(endpoint) == [["a", half, half, "b"], [whole], [whole]]


def test_nothing_is_no_call(sqs: AwsClient, endpoint: Endpoint) -> None:
    send_all(sqs, QUEUE, [])
    assert endpoint.received == []


def test_what_the_queue_did_not_take_is_sent_again(sqs: AwsClient, endpoint: Endpoint) -> None:
    endpoint.answers += [failed(1, 2), failed(2)]
    send_all(sqs, QUEUE, messages("a", "b", "c", "d"))
    assert sent(endpoint) == [["a", "b", "c", "d"], ["b", "c"], ["c"]]


def test_what_it_never_takes_is_an_error(sqs: AwsClient, endpoint: Endpoint) -> None:
    endpoint.answers += [failed(0)] * 4
    with pytest.raises(Unavailable):
        send_all(sqs, QUEUE, messages("a", "b"))
    assert sent(endpoint) == [["a", "b"], ["a"], ["a"], ["a"]]
