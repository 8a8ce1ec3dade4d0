"""Encryption by KMS, bound to owner, scope and name.

https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
"""

from __future__ import annotations

import base64

from task_engine.aws.wire import AwsClient
from task_engine.errors import InvalidRequest

# What KMS encrypts directly: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
MAX_BYTES = 4096


class Vault:
    """One symmetric key; a ciphertext decrypts only with the context it was made with."""

    def __init__(self, client: AwsClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def encrypt(self, text: str, context: dict[str, str]) -> bytes:
        """Raises InvalidRequest above 4096 bytes."""
        plain = text.encode()
        if len(plain) > MAX_BYTES:
            raise InvalidRequest(
                f"a secret may have {MAX_BYTES} bytes at most", code="SECRETS_BAD_VALUE"
            )
        answer = self._client.call(
            "Encrypt",
            {
                "KeyId": self._key_id,
                "Plaintext": base64.b64encode(plain).decode(),
                "EncryptionContext": context,
            },
        )
        return base64.b64decode(answer["CiphertextBlob"])

    def decrypt(self, ciphertext: bytes, context: dict[str, str]) -> str:
        """Raises AwsError when the context is another."""
        answer = self._client.call(
            "Decrypt",
            {
                "CiphertextBlob": base64.b64encode(ciphertext).decode(),
                "EncryptionContext": context,
                **({"KeyId": self._key_id} if self._key_id else {}),
            },
        )
        return base64.b64decode(answer["Plaintext"]).decode()
