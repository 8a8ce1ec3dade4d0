"""What a wallet pays to whom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Payment:
    """`amount` in the smallest unit; `token` "" = the chain's coin. Addresses are checksummed."""

    chain_id: int
    wallet: str
    recipient: str
    token: str
    amount: int
