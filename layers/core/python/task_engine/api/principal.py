"""Who calls: the owner and chain that a bearer token or a partner's assertion speaks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from task_engine.api.access import Access
from task_engine.errors import Forbidden, Unauthenticated
from task_engine.services.partners import Assertion
from task_engine.services.tokens_jwt import TokenClaims

PARTNER_HEADER = "x-partner-assertion"
_SUBJECT = re.compile(r"0[xX][0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Principal:
    """`owner` is checksummed, "" of a partner who speaks for nobody; `chain_id` only selects the
    default chain; `partner` is "" where the owner calls. Where an operator calls, there is only
    `operator`."""

    owner: str
    chain_id: int
    partner: str = ""
    operator: str = ""

    @property
    def subject(self) -> str:
        """Whose requests are counted together."""
        if self.operator:
            return f"operator:{self.operator}"
        return f"partner:{self.partner}" if self.partner else self.owner


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature is over: the path below the base, unescaped; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes


class SignedRequests(Protocol):
    """Checks requests that operators have signed."""

    def admit(self, request: SignedRequest) -> Principal:
        """Raises Unauthenticated, or Forbidden for a key that is none of an operator."""


class Verifier(Protocol):
    """Checks tokens."""

    def verify(self, token: str) -> TokenClaims:
        """Raises Unauthenticated."""


class Partners(Protocol):
    """Checks partners' assertions."""

    def check(self, text: str) -> Assertion:
        """Raises Unauthenticated, or Forbidden without the scope to read."""


class Authenticator:
    """Reads `Authorization: Bearer <token>` (RFC 6750) and `X-Partner-Assertion`."""

    def __init__(self, verifier: Verifier, partners: Partners, default_chain_id: int) -> None:
        self._verifier = verifier
        self._partners = partners
        self._default_chain_id = default_chain_id

    def admit(self, headers: Mapping[str, str], access: Access) -> Principal | None:
        """The caller of a route; None for nobody on a public one.

        A token that does not verify is refused everywhere, an assertion wherever it matters.
        Raises Unauthenticated or Forbidden.
        """
        if access is Access.OWNER_ALONE and PARTNER_HEADER in headers:
            raise Forbidden("partners can't do this", code="PARTNER_NOT_ALLOWED")
        owner = self.identify(headers)
        if access is Access.PUBLIC:
            return owner
        if access in (Access.PARTNER, Access.OWNER_OR_PARTNER) and PARTNER_HEADER in headers:
            assertion = self._partners.check(headers[PARTNER_HEADER])
            if owner is None or access is Access.PARTNER:
                return self._of_partner(assertion, access)
        if owner is None or access is Access.PARTNER:
            raise _missing(access)
        return owner

    def identify(self, headers: Mapping[str, str]) -> Principal | None:
        """The owner; None without the header."""
        text = headers.get("authorization", "").strip()
        if not text:
            return None
        scheme, _, token = text.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Authorization must be Bearer and a token", code="AUTH_MALFORMED")
        claims = self._verifier.verify(token.strip())
        return Principal(claims.subject, claims.chain_id or self._default_chain_id)

    def _of_partner(self, assertion: Assertion, access: Access) -> Principal:
        owner = ""
        if _SUBJECT.fullmatch(assertion.subject):
            from task_engine.evm.address import Address  # noqa: PLC0415 - loads Keccak

            owner = Address(assertion.subject)
        if access is Access.OWNER_OR_PARTNER and not owner:
            raise Unauthenticated(
                "the assertion's sub must be the user's address", code="PARTNER_MALFORMED"
            )
        return Principal(owner, self._default_chain_id, assertion.partner)


def _missing(access: Access) -> Unauthenticated:
    if access is Access.PARTNER:
        return Unauthenticated("send X-Partner-Assertion: this route is for partners")
    return Unauthenticated("send Authorization: Bearer and a token")
