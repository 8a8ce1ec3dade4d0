"""Signed log-in messages for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from tests.fakes.clock import START_MS

WALLET = Account.from_key("0x" + "46" * 32)
STRANGER = Account.from_key("0x" + "47" * 32)
HOUR_MS = 3_600_000


def iso(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(
    expires_at: int | str = START_MS + HOUR_MS,
    chain: str = "11155111",
    wallet: str = WALLET.address,
    **lines: str,
) -> str:
    """The canonical text; `lines` replaces whole lines by their number as `line_<n>`."""
    text = [
        "Please sign the below text for ownership verification.",
        "",
        "URI: https://example.org",
        f"Chain ID: {chain}",
        "Version: 0.1.0",
        f"Issued At: {iso(START_MS)}",
        f"Expire At: {expires_at if isinstance(expires_at, str) else iso(expires_at)}",
        f"Wallet: {wallet}",
    ]
    for name, line in lines.items():
        text[int(name.removeprefix("line_"))] = line
    return "\n".join(text)


def sign(text: str, wallet: LocalAccount = WALLET) -> str:
    return "0x" + bytes(wallet.sign_message(encode_defunct(text=text)).signature).hex()
