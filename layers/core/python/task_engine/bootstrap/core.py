"""What every function shares: settings, clock, the AWS clients and the blob store."""

from __future__ import annotations

from functools import cache

from task_engine.aws.blobs import BlobStore
from task_engine.aws.dynamo import Dynamo
from task_engine.aws.packed import Packer
from task_engine.aws.wire import AwsClient
from task_engine.clock import SystemClock
from task_engine.config import Settings


@cache
def settings() -> Settings:
    """The deployment's settings, read once."""
    return Settings.from_env()


@cache
def clock() -> SystemClock:
    """The machine's clock."""
    return SystemClock()


@cache
def client(service: str) -> AwsClient:
    """The one client of a service in this process."""
    return AwsClient(service, settings().region)


@cache
def dynamo() -> Dynamo:
    """The tables' client."""
    return Dynamo(client("dynamodb"))


@cache
def packer() -> Packer:
    """Large attributes, packed or in the blob bucket."""
    return Packer(_blobs, settings().limits.inline_output_bytes)


@cache
def _blobs() -> BlobStore:
    return BlobStore(client("s3"), settings().name("BLOB_BUCKET"))
