"""Tokens: JSON Web Tokens with HS256 (RFC 7519, RFC 7515), the key never leaving KMS."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.errors import Unauthenticated
from task_engine.services.jose import (
    decode_header,
    decode_object,
    decode_part,
    encode_object,
    encode_part,
)
from task_engine.services.ports import TokenSigner

ISSUER = "AvaProtocol"
# What KMS accepts as a message; a longer token can't be ours.
_MAX_SIGNED_BYTES = 4096
_REMEMBERED = 256
_SUBJECT = re.compile(r"0x[0-9a-fA-F]{40}")
_AUDIENCE = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """Who a verified token speaks for; `chain_id` is 0 when it names none."""

    subject: str
    chain_id: int
    expires_at: int


def issue_token(signer: TokenSigner, subject: str, chain_id: int, expires_at: int) -> str:
    """A token for a checksummed address; `expires_at` in seconds since the epoch."""
    claims = {"iss": ISSUER, "sub": subject, "aud": [str(chain_id)], "exp": expires_at}
    signed = f"{encode_object({'alg': 'HS256', 'typ': 'JWT'})}.{encode_object(claims)}"
    return f"{signed}.{encode_part(signer.sign(signed.encode('ascii')))}"


class TokenVerifier:
    """Verifies tokens; a token that verified is not sent to KMS again by the same process."""

    def __init__(self, signer: TokenSigner, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock
        self._verified: OrderedDict[str, TokenClaims] = OrderedDict()

    def verify(self, token: str) -> TokenClaims:
        """The claims; raises Unauthenticated when it is not one of our tokens or its time is over.

        The algorithm is HS256, whatever the header says.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._check(token)
            self._verified[token] = claims
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        if claims.expires_at * 1000 <= self._clock.now_ms():
            self._verified.pop(token, None)
            raise Unauthenticated("the token has expired", code="AUTH_INVALID_TOKEN")
        return claims

    def _check(self, token: str) -> TokenClaims:
        parts = token.split(".")
        if len(parts) != 3:
            raise _refused("a token has three parts")
        signed = f"{parts[0]}.{parts[1]}".encode("utf-8", "replace")
        if len(signed) > _MAX_SIGNED_BYTES:
            raise _refused("the token is too long")
        _check_header(parts[0])
        mac = _part(parts[2])
        if len(mac) != 32 or not self._signer.verify(signed, mac):
            raise _refused("the token's signature does not verify")
        return _claims(_object(parts[1]))


def _claims(claims: dict[str, object]) -> TokenClaims:
    subject, expires_at = claims.get("sub"), claims.get("exp")
    if claims.get("iss") != ISSUER:
        raise _refused("the token's issuer is another one")
    if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
        raise _refused("the token has no usable subject")
    if not isinstance(expires_at, int | float) or isinstance(expires_at, bool):
        raise _refused("the token has no time of expiry")
    return TokenClaims(subject, _chain_id(claims.get("aud")), int(expires_at))


def _chain_id(audience: object) -> int:
    first = audience[0] if isinstance(audience, list) and audience else audience
    text = first if isinstance(first, str) else ""
    return int(text) if _AUDIENCE.fullmatch(text) else 0


def _part(text: str) -> bytes:
    try:
        return decode_part(text)
    except ValueError as error:
        raise _refused(f"the token {error}") from error


def _check_header(text: str) -> None:
    try:
        decode_header(text, "HS256")
    except ValueError as error:
        raise _refused(f"the token's header {error}") from error


def _object(text: str) -> dict[str, object]:
    try:
        return decode_object(text)
    except ValueError as error:
        raise _refused(f"the token {error}") from error


def _refused(text: str) -> Unauthenticated:
    return Unauthenticated(text, code="AUTH_INVALID_TOKEN")
