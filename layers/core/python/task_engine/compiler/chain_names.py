"""Names of chains that a balance node may ask for."""

from __future__ import annotations

CHAIN_IDS = {
    "eth": 1,
    "ethereum": 1,
    "mainnet": 1,
    "eth-mainnet": 1,
    "sepolia": 11155111,
    "eth-sepolia": 11155111,
    "base": 8453,
    "base-sepolia": 84532,
    "bsc": 56,
    "bnb": 56,
    "polygon": 137,
    "matic": 137,
    "arbitrum": 42161,
    "arb": 42161,
    "optimism": 10,
    "op": 10,
    "avalanche": 43114,
    "linea": 59144,
    "unichain": 130,
}
_LARGEST = 2**53


def chain_id_of(spelling: object) -> int | None:
    """The id for a name, a decimal or a hexadecimal id (text or number); None for anything else."""
    if type(spelling) is int:
        return spelling if 0 < spelling <= _LARGEST else None
    if not isinstance(spelling, str) or len(spelling) > 40 or not spelling.isascii():
        return None
    text = spelling.strip().lower()
    if text in CHAIN_IDS:
        return CHAIN_IDS[text]
    try:
        number = int(text, 16) if text.startswith("0x") else int(text) if text.isdigit() else 0
    except ValueError:
        return None
    return number if 0 < number <= _LARGEST else None
