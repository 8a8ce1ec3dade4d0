"""Partners: services that act for users by assertions that they sign themselves (RFC 7519)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.errors import ConfigurationError, Forbidden, Unauthenticated
from task_engine.services.jose import decode_header, decode_object, decode_part

READ = "read"
MAX_SECONDS = 3600
_MAX_CHARACTERS = 8192
_KEY = re.compile(r"[0-9a-fA-F]{64}")

VerifyEd25519 = Callable[[bytes, bytes, bytes], bool]
"""Whether (public key, message, signature) fit."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A registered partner. `keys` are Ed25519 public keys of 32 bytes, several while one is being
    replaced; `audience` "" = any."""

    id: str
    keys: tuple[bytes, ...]
    scopes: frozenset[str]
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a verified assertion says; `subject` is the user that it is about, "" = nobody."""

    partner: str
    scopes: frozenset[str]
    subject: str


class PartnerVerifier:
    """Checks assertions against the registry of the deployment."""

    def __init__(
        self, partners: Mapping[str, Partner], verify: VerifyEd25519, clock: Clock
    ) -> None:
        self._partners = partners
        self._verify = verify
        self._clock = clock

    def check(self, text: str, scope: str = READ) -> Assertion:
        """The assertion in `text`, a JWT with EdDSA (RFC 8037).

        Raises Unauthenticated: PARTNER_MALFORMED, PARTNER_UNKNOWN, PARTNER_INVALID_SIGNATURE,
        PARTNER_EXPIRED or PARTNER_BAD_AUDIENCE; Forbidden: PARTNER_SCOPE_MISSING when the
        assertion or the registry lacks `scope`.
        """
        parts = text.strip().split(".")
        if len(parts) != 3 or len(text) > _MAX_CHARACTERS:
            raise _refused("an assertion is a JWT", "PARTNER_MALFORMED")
        _check_header(parts[0])
        claims = _object(parts[1])
        partner = self._partners.get(str(claims.get("iss", "")))
        if partner is None:
            raise _refused("this partner is not registered", "PARTNER_UNKNOWN")
        signed, signature = f"{parts[0]}.{parts[1]}".encode("ascii"), _part(parts[2])
        if not any(self._verify(key, signed, signature) for key in partner.keys):
            raise _refused("the assertion's signature does not verify", "PARTNER_INVALID_SIGNATURE")
        self._check_times(claims)
        _check_audience(claims.get("aud"), partner)
        granted = _words(claims.get("scope")) & partner.scopes
        if scope not in granted:
            raise Forbidden(f"the partner lacks the scope {scope}", code="PARTNER_SCOPE_MISSING")
        subject = claims.get("sub")
        return Assertion(partner.id, granted, subject if isinstance(subject, str) else "")

    def _check_times(self, claims: Mapping[str, object]) -> None:
        expires, now = claims.get("exp"), self._clock.now_ms() / 1000
        if not isinstance(expires, int | float) or isinstance(expires, bool):
            raise _refused("an assertion needs exp, in seconds", "PARTNER_MALFORMED")
        if expires <= now:
            raise _refused("the assertion has expired", "PARTNER_EXPIRED")
        if expires > now + MAX_SECONDS:
            raise _refused("an assertion lasts an hour at most", "PARTNER_EXPIRED")
        begins = claims.get("nbf")
        if isinstance(begins, int | float) and begins > now + 60:
            raise _refused("the assertion is not valid yet", "PARTNER_EXPIRED")


def parse_partners(text: str) -> dict[str, Partner]:
    """The registry from its setting: `{"id": {"keys": ["<64 hex digits>"], "scopes": ["read"],
    "audience": "…"}}`; raises ConfigurationError for one that can't be read."""
    try:
        found = json.loads(text) if text else {}
        return {str(name): _partner(str(name), entry) for name, entry in found.items()}
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            "TASK_ENGINE_PARTNERS must be JSON {id: {keys: [Ed25519 keys in hex], scopes}}"
        ) from error


def _partner(name: str, entry: Mapping[str, object]) -> Partner:
    keys, scopes = entry["keys"], entry.get("scopes", [READ])
    if not isinstance(keys, list) or not keys or not isinstance(scopes, list):
        raise ValueError("keys and scopes are lists")
    if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
        raise ValueError("a key is 64 hexadecimal digits")
    return Partner(
        id=name,
        keys=tuple(bytes.fromhex(key) for key in keys),
        scopes=frozenset(map(str, scopes)),
        audience=str(entry.get("audience") or ""),
    )


def _check_audience(audience: object, partner: Partner) -> None:
    named = audience if isinstance(audience, list) else [audience]
    if partner.audience and partner.audience not in named:
        raise _refused("the assertion is meant for somebody else", "PARTNER_BAD_AUDIENCE")


def _words(scope: object) -> frozenset[str]:
    given: Iterable[object] = scope.split() if isinstance(scope, str) else ()
    if isinstance(scope, list):
        given = scope
    return frozenset(map(str, given))


def _check_header(part: str) -> None:
    try:
        decode_header(part, "EdDSA")
    except ValueError as error:
        raise _refused(f"the assertion's header {error}", "PARTNER_MALFORMED") from error


def _object(part: str) -> dict[str, object]:
    try:
        return decode_object(part)
    except ValueError as error:
        raise _refused(f"the assertion {error}", "PARTNER_MALFORMED") from error


def _part(part: str) -> bytes:
    try:
        return decode_part(part)
    except ValueError as error:
        raise _refused(f"the assertion {error}", "PARTNER_MALFORMED") from error


def _refused(text: str, code: str) -> Unauthenticated:
    return Unauthenticated(text, code=code)
