"""Smart wallets: accounts on chain that act for an owner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wallet:
    """A smart wallet's record; addresses are checksummed, `salt` is a decimal string."""

    owner: str
    chain_id: int
    address: str
    factory: str
    salt: str
    hidden: bool = False
