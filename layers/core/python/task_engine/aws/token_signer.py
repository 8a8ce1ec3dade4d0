"""MACs by a KMS key.

https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
"""

from __future__ import annotations

import base64
import hashlib

from task_engine.aws.failures import AwsError
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings

_KEPT = 1024


class KmsTokenSigner:
    """Implements TokenSigner. A MAC that was verified once in this process is not asked about
    again: it can't become wrong, and the token's own expiry is checked each time."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._verified: set[bytes] = set()

    def sign(self, message: bytes) -> bytes:
        """HMAC-SHA-256."""
        answer = self._client.call("GenerateMac", self._parameters(message))
        return base64.b64decode(answer["Mac"])

    def verify(self, message: bytes, mac: bytes) -> bool:
        """False when the MAC is another's; raises Unavailable."""
        digest = hashlib.sha256(len(message).to_bytes(8, "big") + message + mac).digest()
        if digest in self._verified:
            return True
        parameters = {**self._parameters(message), "Mac": base64.b64encode(mac).decode()}
        try:
            valid = bool(self._client.call("VerifyMac", parameters).get("MacValid"))
        except AwsError as error:
            if error.name in ("KMSInvalidMacException", "ValidationException"):
                return False
            raise
        if valid:
            if len(self._verified) >= _KEPT:
                self._verified.clear()
            self._verified.add(digest)
        return valid

    def _parameters(self, message: bytes) -> dict[str, str]:
        return {
            "KeyId": self._settings.name("TOKEN_KEY"),
            "MacAlgorithm": "HMAC_SHA_256",
            "Message": base64.b64encode(message).decode(),
        }
