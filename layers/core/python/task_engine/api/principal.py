"""Who calls: the owner and chain that a bearer token speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from task_engine.errors import Unauthenticated
from task_engine.services.tokens_jwt import TokenClaims


@dataclass(frozen=True, slots=True)
class Principal:
    """`owner` is checksummed; `chain_id` only selects the default chain."""

    owner: str
    chain_id: int


class Verifier(Protocol):
    """Checks tokens."""

    def verify(self, token: str) -> TokenClaims:
        """Raises Unauthenticated."""


class Authenticator:
    """Reads `Authorization: Bearer <token>` (RFC 6750)."""

    def __init__(self, verifier: Verifier, default_chain_id: int) -> None:
        self._verifier = verifier
        self._default_chain_id = default_chain_id

    def identify(self, headers: Mapping[str, str]) -> Principal | None:
        """None without the header; raises Unauthenticated for one that does not verify."""
        text = headers.get("authorization", "").strip()
        if not text:
            return None
        scheme, _, token = text.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Authorization must be Bearer and a token", code="AUTH_MALFORMED")
        claims = self._verifier.verify(token.strip())
        return Principal(claims.subject, claims.chain_id or self._default_chain_id)

    def require(self, headers: Mapping[str, str]) -> Principal:
        """The caller; raises Unauthenticated when there is none."""
        principal = self.identify(headers)
        if principal is None:
            raise Unauthenticated("send Authorization: Bearer and a token")
        return principal
