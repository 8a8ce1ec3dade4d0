"""A chain that this deployment serves: where its nodes are and how wallets work there."""

from __future__ import annotations

from dataclasses import dataclass, field

ENTRY_POINT_VERSIONS = ("0.7", "0.8")
WALLET_PROVIDERS = ("session_account", "simple_account", "modular_account_v2")
PAYMASTERS = ("", "verifying", "erc7677")

# Id: name, seconds between blocks, symbol of the native coin.
_KNOWN = {
    1: ("ethereum", 12.0, "ETH"),
    10: ("optimism", 2.0, "ETH"),
    56: ("bsc", 0.75, "BNB"),
    130: ("unichain", 1.0, "ETH"),
    137: ("polygon", 2.0, "POL"),
    4663: ("robinhood", 0.25, "ETH"),
    8453: ("base", 2.0, "ETH"),
    42161: ("arbitrum", 0.25, "ETH"),
    43114: ("avalanche", 2.0, "AVAX"),
    59144: ("linea", 2.0, "ETH"),
    84532: ("base-sepolia", 2.0, "ETH"),
    11155111: ("sepolia", 12.0, "ETH"),
}
_BLOCK_SECONDS = 12.0


def native_currency(chain_id: int) -> str:
    """The symbol of the coin that gas is paid in; ETH for a chain that is not well known."""
    return _KNOWN[chain_id][2] if chain_id in _KNOWN else "ETH"


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain. The URLs may carry keys, so they are not part of the printed form.

    `rpc_urls` in the order of preference, empty = known by its id alone. `bundler_url` "" = the
    engine bundles itself. `factory` "" = the wallet provider's own address. `paymaster` is "",
    "verifying" (with `paymaster_address`) or "erc7677" (with `paymaster_url`).
    """

    id: int
    rpc_urls: tuple[str, ...] = field(default=(), repr=False)
    bundler_url: str = field(default="", repr=False)
    entry_point: str = "0.7"
    wallet_provider: str = "session_account"
    factory: str = ""
    paymaster: str = ""
    paymaster_address: str = ""
    paymaster_url: str = field(default="", repr=False)
    confirmations: int = 0
    currency: str = "ETH"

    @property
    def name(self) -> str:
        """The common name, `chain <id>` for one that is not well known."""
        return _KNOWN[self.id][0] if self.id in _KNOWN else f"chain {self.id}"

    @property
    def block_seconds(self) -> float:
        """About how long a block takes."""
        return _KNOWN[self.id][1] if self.id in _KNOWN else _BLOCK_SECONDS
