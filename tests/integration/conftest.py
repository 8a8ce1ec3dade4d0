"""One emulator for the run, with tables, keys, a queue, a bucket and a bus; owners are per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from task_engine.config import Settings

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.settings import REGION
from tests.emulator import running_emulator
from tests.integration.tables import create_tables
from tests.integration.world import World, small_limits


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """The emulator by boto3; the adapters are pointed to it too."""
    with running_emulator() as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield LocalAws(emulator.endpoint)


@pytest.fixture(scope="session")
def names(aws: LocalAws) -> dict[str, str]:
    """Resources of one deployment, by their settings."""
    kms = aws.client("kms")
    secrets_key = kms.create_key()["KeyMetadata"]["KeyId"]
    token_key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    aws.client("s3").create_bucket(Bucket="blobs")
    queues = aws.client("sqs")
    queue = queues.create_queue(QueueName="executions")["QueueUrl"]
    dead = queues.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = queues.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    aws.client("scheduler").create_schedule_group(Name="tasks")
    return {
        **create_tables(aws.client("dynamodb"), "test-"),
        "BLOB_BUCKET": "blobs",
        "SECRETS_KEY": secrets_key,
        "TOKEN_KEY": token_key["KeyMetadata"]["KeyId"],
        "EXECUTION_QUEUE_URL": queue,
        "SCHEDULE_GROUP": "tasks",
        "SCHEDULE_ROLE_ARN": "arn:aws:iam::000000000000:role/schedules",
        "SCHEDULE_DLQ_ARN": dead_arn["Attributes"]["QueueArn"],
        "TRIGGER_FUNCTION_ARN": f"arn:aws:lambda:{REGION}:000000000000:function:trigger",
        "EVENT_BUS": "default",
    }


@pytest.fixture
def world(aws: LocalAws, names: dict[str, str]) -> World:
    """Adapters on those resources, nothing remembered."""
    settings = Settings(
        stage="test",
        region=REGION,
        limits=small_limits(),
        names=names,
        server_variables={"SHARED": "of the server", "API": "of the server"},
    )
    return World(settings, aws)
