"""Ed25519 signatures (RFC 8032), which partners sign their assertions with."""

from __future__ import annotations


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) of `message` is by the 32-byte key."""
    from Crypto.PublicKey import ECC  # noqa: PLC0415 - only deployments with partners load it
    from Crypto.Signature import eddsa  # noqa: PLC0415

    try:
        key = eddsa.import_public_key(public_key)
        if not isinstance(key, ECC.EccKey):
            return False
        eddsa.new(key, "rfc8032").verify(message, signature)
    except ValueError:
        return False
    return True
