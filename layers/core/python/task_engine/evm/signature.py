"""Who signed a text with a wallet (EIP-191, version 0x45: `personal_sign`)."""

from __future__ import annotations

import re

from task_engine.errors import Unauthenticated
from task_engine.evm.address import Address, keccak256

_FORM = re.compile(r"0[xX][0-9a-fA-F]{130}")


def personal_message_hash(message: bytes) -> bytes:
    """The digest that `personal_sign` signs (https://eips.ethereum.org/EIPS/eip-191)."""
    prefix = f"\x19Ethereum Signed Message:\n{len(message)}".encode("ascii")
    return keccak256(prefix + message)


def recover_signer(message: bytes, signature: str) -> Address:
    """The address whose key signed `message` as a personal message.

    `signature` and errors as for `recover_digest_signer`.
    """
    return recover_digest_signer(personal_message_hash(message), signature)


def recover_digest_signer(digest: bytes, signature: str) -> Address:
    """The address whose key signed the 32-byte `digest` itself.

    `signature` is 65 bytes as hex: r, s and v, where v is 27, 28, 0 or 1. Raises Unauthenticated:
    AUTH_INVALID_SIGNATURE when it is not of that form or no key fits.
    """
    if not isinstance(signature, str) or _FORM.fullmatch(signature) is None:
        raise _malformed()
    raw = bytes.fromhex(signature[2:])
    recovery_id = raw[64] - 27 if raw[64] >= 27 else raw[64]
    if recovery_id not in (0, 1):
        raise _malformed()
    from coincurve import PublicKey  # noqa: PLC0415 - loads curve arithmetic

    try:
        key = PublicKey.from_signature_and_message(
            raw[:64] + bytes([recovery_id]), digest, hasher=None
        )
    except ValueError as error:
        raise Unauthenticated(
            "the signature does not verify", code="AUTH_INVALID_SIGNATURE"
        ) from error
    return Address.of_bytes(keccak256(key.format(compressed=False)[1:])[12:])


def _malformed() -> Unauthenticated:
    return Unauthenticated(
        "a signature is 0x and 65 bytes in hexadecimal, the last one 27, 28, 0 or 1",
        code="AUTH_INVALID_SIGNATURE",
    )
