"""Signing keys that never leave KMS.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
"""

from __future__ import annotations

import base64

from task_engine.aws.wire import AwsClient


class KmsKeys:
    """Implements KeyService; each method is one call and raises Unavailable or AwsError."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def public_key(self, key_id: str) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        answer = self._client.call("GetPublicKey", {"KeyId": key_id})
        return base64.b64decode(answer["PublicKey"])

    def sign(self, key_id: str, digest: bytes) -> bytes:
        """The DER encoding of an ECDSA signature of that very digest of 32 bytes."""
        answer = self._client.call(
            "Sign",
            {
                "KeyId": key_id,
                "Message": base64.b64encode(digest).decode(),
                "MessageType": "DIGEST",
                "SigningAlgorithm": "ECDSA_SHA_256",
            },
        )
        return base64.b64decode(answer["Signature"])
