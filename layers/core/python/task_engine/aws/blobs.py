"""Large values in the blob bucket."""

from __future__ import annotations

from task_engine.aws.wire import AwsClient


class BlobStore:
    """Objects by key, addressed by path so that any endpoint serves them."""

    def __init__(self, client: AwsClient, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        """Write or replace."""
        self._client.rest("PutObject", "PUT", f"/{self._bucket}/{key}", body)

    def delete(self, key: str) -> None:
        """Remove; an absent one is no error."""
        self._client.rest("DeleteObject", "DELETE", f"/{self._bucket}/{key}")

    def get(self, key: str) -> bytes:
        """Raises AwsError (NoSuchKey) when absent."""
        return self._client.rest("GetObject", "GET", f"/{self._bucket}/{key}")
