"""Look for a value in everything a stage stored or logged."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from infra_cdk.local.aws import LocalAws

Found = Iterator[tuple[str, bytes]]


def places_with(value: str, aws: LocalAws, files: Path) -> list[str]:
    """Where `value` stands: plain, as base64, percent-encoded, or inside compressed data.

    Reads every table, queue, object, log group, schedule, function's configuration, state
    machine execution with its history, and every file below `files`.
    """
    forms = _forms(value)
    return sorted({place for place, content in _everything(aws, files) if _holds(content, forms)})


def _forms(value: str) -> list[bytes]:
    raw = value.encode()
    # Base64 depends on the position within three bytes: the inner part of each of the three.
    shifted = [base64.b64encode(b"\0" * shift + raw) for shift in range(3)]
    return [raw, quote(value, safe="").encode(), *(text[4:-4] for text in shifted)]


def _holds(content: bytes, forms: list[bytes]) -> bool:
    inflated = b""
    with contextlib.suppress(zlib.error):
        inflated = zlib.decompress(content)
    return any(form in content or form in inflated for form in forms)


def _everything(aws: LocalAws, files: Path) -> Found:
    yield from _tables(aws)
    yield from _queues(aws)
    yield from _objects(aws)
    yield from _logs(aws)
    yield from _schedules(aws)
    yield from _functions(aws)
    yield from _machines(aws)
    yield from _files(files)


def _tables(aws: LocalAws) -> Found:
    dynamodb = aws.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                for leaf in _leaves(item):
                    yield f"table {table}", leaf


def _leaves(value: Any) -> Iterator[bytes]:  # noqa: ANN401 - any DynamoDB value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key).encode()
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value if isinstance(value, bytes) else str(value).encode()


def _queues(aws: LocalAws) -> Found:
    sqs = aws.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in answer.get("Messages", []):
            yield f"queue {url.rpartition('/')[2]}", message["Body"].encode()


def _objects(aws: LocalAws) -> Found:
    s3 = aws.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for entry in page.get("Contents", []):
                body = s3.get_object(Bucket=name, Key=entry["Key"])["Body"].read()
                yield f"bucket {name}", body


def _logs(aws: LocalAws) -> Found:
    logs = aws.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in events["events"]:
                    yield f"log {name}", event["message"].encode()


def _schedules(aws: LocalAws) -> Found:
    scheduler = aws.client("scheduler")
    for schedule in scheduler.list_schedules()["Schedules"]:
        with contextlib.suppress(ClientError):
            found = scheduler.get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
            yield "schedules", json.dumps(found, default=str).encode()


def _functions(aws: LocalAws) -> Found:
    for page in aws.client("lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            yield f"function {function['FunctionName']}", json.dumps(function).encode()


def _machines(aws: LocalAws) -> Found:
    states = aws.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        yield (
            "state machines",
            states.describe_state_machine(stateMachineArn=arn)["definition"].encode(),
        )
        # AWS keeps no history of Express executions; their log group is read above.
        for execution in states.list_executions(stateMachineArn=arn)["executions"]:
            with contextlib.suppress(ClientError):
                yield from _run(aws, execution["executionArn"])


def _run(aws: LocalAws, arn: str) -> Found:
    states = aws.client("stepfunctions")
    described = states.describe_execution(executionArn=arn)
    yield "state machine executions", json.dumps(described, default=str).encode()
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    for page in pages:
        yield "state machine histories", json.dumps(page["events"], default=str).encode()


def _files(directory: Path) -> Found:
    # Unlike `rglob`, `walk` bears that the running stage removes files and folders meanwhile.
    for folder, _, names in os.walk(directory):
        for file in (Path(folder) / name for name in names):
            with contextlib.suppress(FileNotFoundError):
                if file.is_file():
                    yield f"file {file.relative_to(directory)}", file.read_bytes()
