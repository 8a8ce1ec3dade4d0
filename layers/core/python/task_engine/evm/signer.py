"""Signatures by keys on secp256k1: in KMS, or in memory for tests."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from task_engine.errors import ConfigurationError, EngineError
from task_engine.evm.address import Address, keccak256

# https://www.secg.org/sec2-v2.pdf, 2.4.1
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_CURVE_OID = bytes.fromhex("06052b8104000a")


class Signer(Protocol):
    """Whoever holds one key."""

    @property
    def address(self) -> Address:
        """The account of the key."""

    def sign(self, digest: bytes) -> bytes:
        """65 bytes for a 32-byte digest: r, s (the low one, EIP-2) and v (27 or 28)."""


class KeyService(Protocol):
    """A service that keeps keys and never gives them away."""

    def public_key(self, key_id: str) -> bytes:
        """SubjectPublicKeyInfo in DER."""

    def sign(self, key_id: str, digest: bytes) -> bytes:
        """The DER encoding of an ECDSA signature of that very digest."""


class SigningFailed(EngineError):
    """The key service answered something that is no signature by its key."""

    code = "SIGNING_FAILED"


class KmsSigner:
    """A key of the type ECC_SECG_P256K1; its public half is asked for once per process.

    https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
    """

    def __init__(self, keys: KeyService, key_id: str) -> None:
        self._keys = keys
        self._key_id = key_id

    @cached_property
    def address(self) -> Address:
        """The account of the key; raises ConfigurationError for a key on another curve."""
        return _address_of(self._point)

    @cached_property
    def _point(self) -> bytes:
        """x and y, 64 bytes: the end of the key's description (RFC 5480, section 2.2)."""
        described = self._keys.public_key(self._key_id)
        if _CURVE_OID not in described or len(described) < 65 or described[-65] != 4:
            raise ConfigurationError("a signing key must be of the type ECC_SECG_P256K1")
        return described[-64:]

    def sign(self, digest: bytes) -> bytes:
        """As Signer says; one call of the service. Raises SigningFailed."""
        _require_digest(digest)
        r, s = _integers_of(self._keys.sign(self._key_id, digest))
        # Of the two values that verify, chains take the low one only.
        s = min(s, _ORDER - s)
        both = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        for parity in (0, 1):
            if _recovered(both + bytes([parity]), digest) == self._point:
                return both + bytes([27 + parity])
        raise SigningFailed("the key service's signature does not fit its key")


class LocalSigner:
    """A private key in this process's memory: for tests and trials only."""

    def __init__(self, private_key: str) -> None:
        from coincurve import PrivateKey  # noqa: PLC0415 - loads curve arithmetic

        self._key = PrivateKey(bytes.fromhex(private_key.removeprefix("0x")))
        self._address = _address_of(self._key.public_key.format(compressed=False)[1:])

    @property
    def address(self) -> Address:
        """The account of the key."""
        return self._address

    def sign(self, digest: bytes) -> bytes:
        """As Signer says; the same digest gives the same signature (RFC 6979)."""
        _require_digest(digest)
        raw = self._key.sign_recoverable(digest, hasher=None)
        return raw[:64] + bytes([27 + raw[64]])


def _require_digest(digest: bytes) -> None:
    if len(digest) != 32:
        raise ValueError("a digest has 32 bytes")


def _address_of(point: bytes) -> Address:
    return Address.of_bytes(keccak256(point)[12:])


def _recovered(signature: bytes, digest: bytes) -> bytes:
    """The point whose key made it, b"" if there is none."""
    from coincurve import PublicKey  # noqa: PLC0415 - loads curve arithmetic

    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError:
        return b""
    return key.format(compressed=False)[1:]


def _integers_of(encoded: bytes) -> tuple[int, int]:
    """r and s of `SEQUENCE { INTEGER, INTEGER }` (RFC 3279, section 2.2.3)."""
    try:
        body, rest = _element(encoded, 0x30)
        r, body = _element(body, 0x02)
        s, body = _element(body, 0x02)
    except (IndexError, ValueError) as error:
        raise SigningFailed("the key service's answer is no ECDSA signature") from error
    numbers = int.from_bytes(r, "big", signed=True), int.from_bytes(s, "big", signed=True)
    if rest or body or not all(0 < number < _ORDER for number in numbers):
        raise SigningFailed("the key service's answer is no ECDSA signature")
    return numbers


def _element(encoded: bytes, tag: int) -> tuple[bytes, bytes]:
    """Content of the first element and what follows it; lengths here are below 128."""
    length = encoded[1]
    if encoded[0] != tag or length >= 128 or len(encoded) < 2 + length:
        raise ValueError("not such an element")
    return encoded[2 : 2 + length], encoded[2 + length :]
