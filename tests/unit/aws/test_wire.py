"""Calls: repeated when that may help, never when not, each failure one of ours."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from task_engine.aws.dynamo import Dynamo, Put, Update
from task_engine.aws.failures import AwsError, TimedOut, TransactionCanceled
from task_engine.aws.wire import AwsClient
from task_engine.errors import ConditionFailed, Unavailable

from tests.unit.aws.endpoint import Answer, Endpoint

THROTTLED = "ProvisionedThroughputExceededException"
GET = {"TableName": "t", "Key": {"id": {"S": "1"}}}


def test_a_throttled_call_is_repeated_until_it_succeeds(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    endpoint.refuse(THROTTLED)
    endpoint.refuse(THROTTLED)
    endpoint.answers.append(Answer(body=b'{"Item": {"id": {"S": "1"}}}'))
    assert Dynamo(dynamodb).get("t", {"id": "1"}) == {"id": "1"}
    assert len(endpoint.received) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, json.dumps({"__type": f"x#{THROTTLED}"}).encode()),
        Answer(400, b'{"__type": "ThrottlingException"}'),
        Answer(500, b'{"__type": "InternalServerError"}'),
        Answer(503, b"<html>no</html>"),
        Answer(429, b"{}"),
        Answer(503, b"<Error><Code>SlowDown</Code></Error>"),
        Answer(hang_up=True),
    ],
)
def test_what_does_not_pass_is_unavailable_after_four_tries(
    endpoint: Endpoint, dynamodb: AwsClient, answer: Answer
) -> None:
    endpoint.answers += [answer] * 6
    with pytest.raises(Unavailable):
        dynamodb.call("GetItem", GET)
    assert len(endpoint.received) == 4


def test_nobody_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="GetItem"):
        AwsClient("dynamodb", "r").call("GetItem", GET)


@pytest.mark.parametrize("name", ["ValidationException", "AccessDeniedException", "Whatever"])
def test_a_refusal_is_not_repeated(endpoint: Endpoint, dynamodb: AwsClient, name: str) -> None:
    endpoint.refuse(name)
    with pytest.raises(AwsError) as caught:
        dynamodb.call("GetItem", GET)
    assert caught.value.name == name
    assert not caught.value.retryable
    assert len(endpoint.received) == 1


def test_a_failed_condition_brings_what_stands_there(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    endpoint.refuse("ConditionalCheckFailedException", Item={"n": {"N": "3"}, "b": {"BOOL": True}})
    update = Update("t", {"id": "1"}, "SET #n = :n", {"n": 4}, "#n = :n")
    with pytest.raises(ConditionFailed) as caught:
        Dynamo(dynamodb).update(update)
    assert caught.value.item == {"n": 3, "b": True}


def test_a_cancelled_transaction_says_why_and_is_not_repeated_here(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    reasons = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Item": {"id": {"S": "1"}}},
        {"Code": "TransactionConflict"},
    ]
    endpoint.refuse("TransactionCanceledException", CancellationReasons=reasons)
    with pytest.raises(TransactionCanceled) as caught:
        Dynamo(dynamodb).transact([Put("t", {"id": "1"})])
    assert caught.value.reasons == ["None", "ConditionalCheckFailed", "TransactionConflict"]
    assert caught.value.item(1) == {"id": {"S": "1"}}
    assert caught.value.item(0) is None
    assert len(endpoint.received) == 1


def test_a_transaction_repeated_after_a_lost_answer_has_the_same_token(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    endpoint.answers.append(Answer(hang_up=True))
    dynamo = Dynamo(dynamodb)
    dynamo.transact([Put("t", {"id": "1"})])
    dynamo.transact([Put("t", {"id": "1"})])
    tokens = [json.loads(r.body)["ClientRequestToken"] for r in endpoint.received]
    assert tokens[0] == tokens[1] != tokens[2]


def test_a_json_call_is_signed_and_names_its_operation(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    dynamodb.call("GetItem", GET)
    (request,) = endpoint.received
    assert (request.method, request.path) == ("POST", "/")
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-security-token"] == "a session"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert json.loads(request.body) == GET


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"x-amzn-ErrorType": "ConflictException:http://a.amazon/#x"}, b'{"Message": "no"}'),
        ({"x-amzn-ErrorType": "ConflictException"}, b""),
        ({}, b'{"code": "ConflictException"}'),
        ({}, b"<Error><Code>ConflictException</Code></Error>"),
    ],
)
def test_errors_of_rest_services_are_known_by_name(
    endpoint: Endpoint, headers: dict[str, str], body: bytes
) -> None:
    endpoint.answers.append(Answer(409, body, headers))
    with pytest.raises(AwsError) as caught:
        AwsClient("scheduler", "r").rest("CreateSchedule", "POST", "/schedules/x", b"{}")
    assert caught.value.name == "ConflictException"


def test_paths_and_queries_of_rest_calls_are_encoded(endpoint: Endpoint) -> None:
    AwsClient("s3", "r").rest("GetObject", "GET", "/bucket/a b/ü?#", query=(("x", "1&2"),))
    assert endpoint.received[0].path == "/bucket/a%20b/%C3%BC%3F%23?x=1%262"


def test_a_connection_is_kept(endpoint: Endpoint, dynamodb: AwsClient) -> None:
    for _ in range(3):
        dynamodb.call("GetItem", GET)
    assert len({request.connection for request in endpoint.received}) == 1


def test_a_connection_that_was_closed_while_idle_costs_no_try(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    endpoint.answers.append(Answer(close_after=True))
    dynamodb.call("GetItem", GET)
    connection = dynamodb._connections._idle[0][1]
    # The end of the stream can be read once the other side has closed.
    connection.sock.settimeout(5)
    assert connection.sock.recv(1) == b""
    dynamodb.call("GetItem", GET)
    assert len(endpoint.received) == 2


def test_threads_do_not_share_a_connection(endpoint: Endpoint, dynamodb: AwsClient) -> None:
    together = threading.Event()
    endpoint.answers += [Answer(wait_for=together)] * 4
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(dynamodb.call, "GetItem", GET) for _ in range(4)]
        while len(endpoint.received) < 4:
            assert not all(call.done() for call in waiting)
        together.set()
        assert [call.result() for call in waiting] == [{}] * 4
    assert len({request.connection for request in endpoint.received}) == 4


def test_a_call_with_its_own_time_is_made_once(endpoint: Endpoint) -> None:
    never = threading.Event()
    endpoint.answers.append(Answer(wait_for=never))
    client = AwsClient("states", "r")
    with pytest.raises(TimedOut):
        client.call("StartSyncExecution", {}, prefix="sync-", timeout=0.05)
    never.set()
    assert len(endpoint.received) == 1


def test_a_host_prefix_is_for_aws_itself_alone(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AwsClient("states", "r")._base("sync-") == endpoint.url
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    client = AwsClient("states", "eu-central-1")
    assert client._base("sync-") == "https://sync-states.eu-central-1.amazonaws.com"
    assert client._base("") == "https://states.eu-central-1.amazonaws.com"


def test_an_observer_hears_of_each_call_once(endpoint: Endpoint) -> None:
    calls: list[tuple[str, str]] = []
    endpoint.refuse(THROTTLED)
    AwsClient("dynamodb", "r", lambda *call: calls.append(call)).call("GetItem", GET)
    assert calls == [("dynamodb", "GetItem")]


def test_unprocessed_keys_are_asked_for_again(endpoint: Endpoint, dynamodb: AwsClient) -> None:
    keys = [{"id": "1"}, {"id": "2"}]
    rest = {"t": {"Keys": [{"id": {"S": "2"}}], "ConsistentRead": True}}
    first = {"Responses": {"t": [{"id": {"S": "1"}}]}, "UnprocessedKeys": rest}
    second = {"Responses": {"t": [{"id": {"S": "2"}}]}, "UnprocessedKeys": {}}
    endpoint.answers += [Answer(body=json.dumps(a).encode()) for a in (first, second)]
    assert Dynamo(dynamodb).batch_get({"t": keys}) == {"t": keys}
    assert json.loads(endpoint.received[1].body) == {"RequestItems": rest}


def test_unprocessed_keys_without_end_are_unavailable(
    endpoint: Endpoint, dynamodb: AwsClient
) -> None:
    rest = {"t": {"Keys": [{"id": {"S": "2"}}]}}
    endpoint.answers += [Answer(body=json.dumps({"UnprocessedKeys": rest}).encode())] * 10
    with pytest.raises(Unavailable):
        Dynamo(dynamodb).batch_get({"t": [{"id": "2"}]})


def test_the_adapters_load_no_sdk() -> None:
    heavy = ("boto3", "botocore", "urllib3", "pydantic", "aws_lambda_powertools", "pynamodb")
    code = (
        "import sys, task_engine.aws.step_repository, task_engine.aws.plan_repository;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_failures_of_keys_are_counted_and_what_callers_do_wrong_is_not(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TASK_ENGINE_STAGE", "prod")
    kms = AwsClient("kms", "us-east-1")

    def counted(name: str) -> list[str]:
        endpoint.refuse(name)
        with pytest.raises(AwsError):
            kms.call("VerifyMac", {})
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line["stage"] for line in lines if "KmsErrors" in line]

    # Given refusals of KMS: a disabled key is the deployment's trouble, a wrong token is not
    assert counted("DisabledException") == ["prod"]
    assert counted("AccessDeniedException") == ["prod"]
    assert counted("KMSInvalidMacException") == []
    assert counted("InvalidCiphertextException") == []
