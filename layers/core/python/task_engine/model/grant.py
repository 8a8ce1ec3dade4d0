"""Grants: what an owner lets the engine's key do with a wallet, for a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# The selector that stands for a transfer of native currency without data.
NATIVE_TRANSFER = "0x00000000"


class GrantStatus(StrEnum):
    """Signed but unused, used at least once, or taken back."""

    PENDING = "pending"
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Permission:
    """One kind of call: `selector` is 0x and 8 hex digits, `max_value` in wei per call."""

    target: str
    selector: str
    max_value: int = 0


@dataclass(frozen=True, slots=True)
class SpendCap:
    """How many units of one ERC-20 may be moved under the grant in all."""

    token: str
    amount: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant's terms and record.

    `id` is 0x and 64 hex digits; `signer` the key that may act; the window in seconds since the
    epoch; `gas_cap` in wei over all operations that nobody sponsors, None = no limit; `signature`
    the owner's, "0x…", empty until it is there; `created_at` in ms. Wallets that install grants
    take it for the first time until `deadline` (seconds); 0 = for ever.
    """

    id: str
    owner: str
    wallet: str
    chain_id: int
    entity_id: int
    signer: str
    valid_after: int
    valid_until: int
    permissions: tuple[Permission, ...]
    epoch: int = 0
    erc20_cap: SpendCap | None = None
    gas_cap: int | None = None
    agent_label: str = ""
    justification: str = ""
    status: GrantStatus = GrantStatus.PENDING
    signature: str = ""
    created_at: int = 0
    deadline: int = 0

    def usable_at(self, now_seconds: int) -> bool:
        """Whether it is signed, not taken back and inside its window."""
        signed = bool(self.signature) and self.status is not GrantStatus.REVOKED
        return signed and self.valid_after <= now_seconds < self.valid_until
