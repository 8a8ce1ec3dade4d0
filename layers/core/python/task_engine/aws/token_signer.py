"""MACs by a KMS key.

https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
"""

from __future__ import annotations

import base64

from task_engine.aws.failures import AwsError
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings


class KmsTokenSigner:
    """Implements TokenSigner; each method is one call."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def sign(self, message: bytes) -> bytes:
        """HMAC-SHA-256."""
        answer = self._client.call("GenerateMac", self._parameters(message))
        return base64.b64decode(answer["Mac"])

    def verify(self, message: bytes, mac: bytes) -> bool:
        """False when the MAC is another's; raises Unavailable."""
        parameters = {**self._parameters(message), "Mac": base64.b64encode(mac).decode()}
        try:
            return bool(self._client.call("VerifyMac", parameters).get("MacValid"))
        except AwsError as error:
            if error.name in ("KMSInvalidMacException", "ValidationException"):
                return False
            raise

    def _parameters(self, message: bytes) -> dict[str, str]:
        return {
            "KeyId": self._settings.name("TOKEN_KEY"),
            "MacAlgorithm": "HMAC_SHA_256",
            "Message": base64.b64encode(message).decode(),
        }
