"""Sign in with a throw-away wallet key, as a user's wallet does it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from infra_cdk.local.client import ApiClient

TEST_CHAIN = 11_155_111
_FIRST_LINE = "Please sign the below text for ownership verification."


def throw_away_account() -> LocalAccount:
    """A new key that nothing else knows."""
    account: LocalAccount = Account.create()
    return account


def login_message(
    address: str, origin: str, *, now: datetime, hours: float = 24, chain_id: int = TEST_CHAIN
) -> str:
    """The eight lines of the ownership message; `address` is checksummed, `now` aware."""
    return "\n".join(
        [
            _FIRST_LINE,
            "",
            f"URI: {origin}",
            f"Chain ID: {chain_id}",
            "Version: 1",
            f"Issued At: {_timestamp(now)}",
            f"Expire At: {_timestamp(now + timedelta(hours=hours))}",
            f"Wallet: {address}",
        ]
    )


def sign(account: LocalAccount, message: str) -> str:
    """The EIP-191 personal signature as 0x-hex (65 bytes)."""
    return "0x" + bytes(account.sign_message(encode_defunct(text=message)).signature).hex()


def sign_in(client: ApiClient, account: LocalAccount | None = None) -> ApiClient:
    """A client that is signed in as `account` (a new one by default) and knows its first wallet."""
    account = account or throw_away_account()
    message = login_message(account.address, client.base_url, now=datetime.now(UTC))
    exchanged = client.post(
        "/auth:exchange",
        {
            "ownerAddress": account.address,
            "signature": sign(account, message),
            "message": message,
        },
    )
    known = replace(client, token=str(exchanged["token"]), owner=str(account.address))
    return replace(known, wallet=str(known.get("/wallets")["data"][0]["address"]))


def _timestamp(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
