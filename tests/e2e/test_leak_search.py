"""The search for secrets finds what is there, wherever and however it is stored."""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from urllib.parse import quote

import pytest

from infra_cdk.local.leaks import places_with
from infra_cdk.local.stage import LocalStage

pytestmark = pytest.mark.deployed


def test_what_was_never_stored_is_not_found(stage: LocalStage) -> None:
    assert places_with(uuid.uuid4().hex, stage.aws, stage.directory) == []


def test_a_stored_value_is_found_in_any_form(stage: LocalStage) -> None:
    # Given a value in a table (compressed), a queue (base64), a bucket (percent-encoded),
    # a log line and a file
    value = f"{uuid.uuid4().hex} & {uuid.uuid4().hex}"
    outputs = stage.outputs["task-engine-local-stateful"]
    table, bucket = outputs["TableTaskState"], outputs["BlobBucket"]
    aws, name = stage.aws, uuid.uuid4().hex
    aws.client("dynamodb").put_item(
        TableName=table,
        Item={
            "taskId": {"S": name},
            "key": {"S": "k"},
            "value": {"B": zlib.compress(json.dumps({"v": value}).encode())},
        },
    )
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    encoded = base64.b64encode(f"{{}}{value}".encode()).decode()
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody=encoded)
    aws.client("s3").put_object(Bucket=bucket, Key=name, Body=quote(value, safe="").encode())
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    event = {"timestamp": 1_700_000_000_000, "message": value}
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[event])
    file = stage.directory / name
    file.write_text(value)
    # When
    places = places_with(value, aws, stage.directory)
    # Then
    file.unlink()
    aws.client("sqs").delete_queue(QueueUrl=queue)
    assert places == sorted(
        [f"bucket {bucket}", f"file {name}", f"log {name}", f"queue {name}", f"table {table}"]
    )
