"""Signing in with a private key, as a wallet does it (EIP-191 personal_sign).

Needs the extra `sign-in` (eth-account), which is imported when it is first used.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from task_engine_client.errors import SignInUnavailable

if TYPE_CHECKING:
    from eth_account import Account
    from eth_account.signers.local import LocalAccount

_FIRST_LINE = "Please sign the below text for ownership verification."
_KEY = re.compile("[0-9a-fA-F]{64}")
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1 (SEC 2, 2.4.1): keys are below it."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """The body of a sign-in request."""

    owner: str
    message: str
    signature: str


def ownership_message(
    address: str, origin: str, chain_id: int, issued: datetime, lifetime: timedelta
) -> str:
    """The eight lines that prove ownership of `address` (checksummed); `issued` is aware."""
    return "\n".join(
        [
            _FIRST_LINE,
            "",
            f"URI: {origin}",
            f"Chain ID: {chain_id}",
            "Version: 1",
            f"Issued At: {_timestamp(issued)}",
            f"Expire At: {_timestamp(issued + lifetime)}",
            f"Wallet: {address}",
        ]
    )


def sign_ownership(
    private_key: str, origin: str, chain_id: int, lifetime: timedelta
) -> SignedMessage:
    """The signed message of a key (32 bytes in hex, with or without 0x).

    Raises SignInUnavailable without eth-account or when the key is none; the key is in no message.
    """
    account = _account(private_key)
    from eth_account.messages import encode_defunct  # noqa: PLC0415

    message = ownership_message(account.address, origin, chain_id, datetime.now(UTC), lifetime)
    signed = account.sign_message(encode_defunct(text=message))
    return SignedMessage(account.address, message, "0x" + bytes(signed.signature).hex())


def decrypt_keystore(content: str, password: str) -> str:
    """The private key of a version 3 keystore file; raises SignInUnavailable."""
    library = _library()
    try:
        return "0x" + bytes(library.decrypt(json.loads(content), password)).hex()
    except (ValueError, TypeError, KeyError):
        raise SignInUnavailable("the key file can't be opened: wrong password?") from None


def _account(private_key: str) -> LocalAccount:
    digits = private_key.strip().removeprefix("0x").removeprefix("0X")
    if not _KEY.fullmatch(digits) or not 0 < int(digits, 16) < _CURVE_ORDER:
        raise SignInUnavailable("this is no private key: 64 hex digits are expected")
    account: LocalAccount = _library().from_key("0x" + digits)
    return account


def _library() -> type[Account]:
    try:
        from eth_account import Account  # noqa: PLC0415
    except ImportError as error:
        raise SignInUnavailable(
            "signing in needs eth-account: pip install 'task-engine-client[sign-in]'"
        ) from error
    return Account


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
