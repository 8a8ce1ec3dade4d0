"""Grants: what an owner allows another key to do with a wallet, by one signature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# No limit, of 256 bits.
NO_LIMIT = 2**256 - 1
# A transfer of the chain's coin, without data.
PLAIN_TRANSFER = "0x00000000"


class GrantStatus(StrEnum):
    """`pending` is signed but not usable yet; `revoked` is never used again."""

    PENDING = "pending"
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Permission:
    """One method of one contract: `target` checksummed, `selector` as 0x and 8 hex digits in lower
    case, `max_value` in wei for each call."""

    target: str
    selector: str
    max_value: int = 0


@dataclass(frozen=True, slots=True)
class Erc20Cap:
    """How much of a token may be moved in all, in its smallest units."""

    token: str
    amount: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant and its record. Addresses are checksummed, `id` is 32 bytes as 0x-hex, `valid_after`
    and `valid_until` are seconds since the epoch, `gas_cap` is the wei that operations without a
    paymaster may reserve in all, `signature` is the owner's (65 bytes as 0x-hex, "" until signed),
    `created_at` is in milliseconds."""

    id: str
    owner: str
    wallet: str
    chain_id: int
    entity_id: int
    signer: str
    valid_after: int
    valid_until: int
    epoch: int
    permissions: tuple[Permission, ...]
    erc20_cap: Erc20Cap | None = None
    gas_cap: int = NO_LIMIT
    agent_label: str = ""
    justification: str = ""
    status: GrantStatus = GrantStatus.PENDING
    signature: str = ""
    created_at: int = 0

    def allows(self, target: str, selector: str, value: int) -> bool:
        """Whether a call of `selector` at `target` with `value` wei is among the permissions."""
        return any(
            permission.target == target
            and permission.selector == selector
            and value <= permission.max_value
            for permission in self.permissions
        )
