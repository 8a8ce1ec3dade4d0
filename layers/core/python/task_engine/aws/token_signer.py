"""MACs by a KMS key.

https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
"""

from __future__ import annotations

import base64

from task_engine.aws.failures import AwsError
from task_engine.aws.wire import AwsClient
from task_engine.config import Settings

_FOREIGN = frozenset({"KMSInvalidMacException", "ValidationException"})
# An earlier key that somebody disabled or deleted verifies nothing, and breaks nothing either.
_TAKEN_AWAY = frozenset({"DisabledException", "KMSInvalidStateException", "NotFoundException"})


class KmsTokenSigner:
    """Implements TokenSigner; each method is one call, `verify` of another's MAC may be two."""

    def __init__(self, client: AwsClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def sign(self, message: bytes) -> bytes:
        """HMAC-SHA-256 by the present key."""
        answer = self._client.call("GenerateMac", _parameters(self._present, message))
        return base64.b64decode(answer["Mac"])

    def verify(self, message: bytes, mac: bytes) -> bool:
        """False when the MAC is another's; raises Unavailable. While a key is followed by a new one
        both count: a token says nothing of its key."""
        if self._verify(self._present, message, mac):
            return True
        earlier = self._settings.names.get("EARLIER_TOKEN_KEY", "")
        return bool(earlier) and self._verify(earlier, message, mac, _FOREIGN | _TAKEN_AWAY)

    def _verify(
        self, key: str, message: bytes, mac: bytes, refusals: frozenset[str] = _FOREIGN
    ) -> bool:
        parameters = {**_parameters(key, message), "Mac": base64.b64encode(mac).decode()}
        try:
            return bool(self._client.call("VerifyMac", parameters).get("MacValid"))
        except AwsError as error:
            if error.name in refusals:
                return False
            raise

    @property
    def _present(self) -> str:
        return self._settings.name("TOKEN_KEY")


def _parameters(key: str, message: bytes) -> dict[str, str]:
    return {
        "KeyId": key,
        "MacAlgorithm": "HMAC_SHA_256",
        "Message": base64.b64encode(message).decode(),
    }
