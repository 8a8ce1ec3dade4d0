"""Sessions: from a wallet's signature to a token."""

from __future__ import annotations

from datetime import timedelta

from task_engine_client.records import Token
from task_engine_client.signing import sign_ownership
from task_engine_client.transport import Transport

DEFAULT_CHAIN = 11_155_111
_DAY = timedelta(hours=24)


class Auth:
    """Calls of log-in; each raises ApiError and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def exchange(self, owner: str, signature: str, message: str) -> Token:
        """A token for a signed ownership message; the client uses it from now on."""
        body = {"ownerAddress": owner, "signature": signature, "message": message}
        self._transport.token = ""
        token = Token.of(self._transport.send("POST", "/auth:exchange", body))
        self._transport.token = token.token
        return token

    def sign_in(
        self, private_key: str, *, chain_id: int = DEFAULT_CHAIN, lifetime: timedelta = _DAY
    ) -> Token:
        """Sign in by private key (32 bytes in hex); the key does not leave this process.

        Needs the extra `sign-in`; raises SignInUnavailable without it or when the key is none.
        """
        origin = self._transport.base_url
        signed = sign_ownership(private_key, origin, chain_id, lifetime)
        return self.exchange(signed.owner, signed.signature, signed.message)
