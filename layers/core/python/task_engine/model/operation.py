"""What a smart wallet was asked to do on chain: remembered before it is sent, found again after."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from task_engine.model.json_value import JsonObject, JsonValue


class OperationStatus(StrEnum):
    """`prepared` is signed and not known to be sent; `sent` waits for its receipt. The others are
    final: included and done, included and reverted, never to be included."""

    PREPARED = "prepared"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    DROPPED = "dropped"

    @property
    def final(self) -> bool:
        return self in (
            OperationStatus.CONFIRMED,
            OperationStatus.FAILED,
            OperationStatus.DROPPED,
        )

    @property
    def word(self) -> str:
        """Of the contract: pending, confirmed or failed."""
        if self is OperationStatus.CONFIRMED:
            return "confirmed"
        return "failed" if self.final else "pending"


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call that the wallet makes; `value` in wei, `data` as 0x-hex."""

    to: str
    value: int
    data: str


@dataclass(frozen=True, slots=True)
class FormerOperation:
    """What had become void; its nonce is that of what took its place."""

    user_op: JsonObject
    sent: JsonObject


@dataclass(frozen=True, slots=True)
class Operation:
    """A user operation of a wallet (ERC-4337).

    `id` names what it is for (`<execution>#<node>#<call>`): the operation's nonce follows from it,
    so that one id can take effect once only. `user_op` is the signed operation as it goes to a
    bundler, `sent` what the sender remembers of sending it, `receipt` what the chain says, `error`
    why it failed. `former` is what it was prepared as before, oldest first. Times in ms since the
    epoch.
    """

    id: str
    owner: str
    chain_id: int
    wallet: str
    hash: str
    user_op: JsonObject
    calls: tuple[OperationCall, ...]
    created_at: int
    status: OperationStatus = OperationStatus.PREPARED
    sent: JsonObject = field(default_factory=dict)
    receipt: JsonValue = None
    error: str = ""
    updated_at: int = 0
    former: tuple[FormerOperation, ...] = ()
