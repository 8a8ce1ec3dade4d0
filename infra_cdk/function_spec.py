"""What one function is, and the words for what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Use(Enum):
    """A right besides tables; `access.py` says what it means in names and in IAM."""

    READ_BLOBS = "read blobs"
    WRITE_BLOBS = "write blobs"
    DELETE_BLOBS = "delete blobs"
    ENCRYPT_SECRETS = "encrypt secrets"
    DECRYPT_SECRETS = "decrypt secrets"
    SIGN_TOKENS = "make the MAC of tokens"
    VERIFY_TOKENS = "check the MAC of tokens"
    ENQUEUE = "send to the execution queue"
    WALK_EXPRESS = "start Express walks"
    WALK_STANDARD = "start Standard walks"
    WALK_AND_WAIT = "start an Express walk and wait for its end"
    ANSWER_WAITS = "let waiting walks go on"
    ASK_WALKS = "ask how a Standard walk goes"
    ARM = "create and change schedules"
    DISARM = "remove schedules"
    ANNOUNCE = "put events on the bus"
    ACT_FOR_WALLETS = "sign with the controller's key"
    SEND_TRANSACTIONS = "sign with the sending account's key"
    SPONSOR = "sign with the paymaster's key"
    NOTIFY = "send to the notice queue"
    SIGN_NOTICES = "sign with the own operator's key"
    KNOW_OPERATOR = "ask for the own operator's address"


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One Lambda function.

    `tables` maps a table, or `table/index`, to the DynamoDB operations on it. `settings` are names
    of deployment settings that it reads. `asynchronous` functions are invoked without a caller who
    waits, so their failed events go to a dead-letter queue.
    """

    name: str
    purpose: str
    timeout_seconds: int
    memory_mb: int = 512
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uses: frozenset[Use] = frozenset()
    settings: tuple[str, ...] = ()
    asynchronous: bool = False

    @property
    def construct_id(self) -> str:
        """Name in the construct tree, and placeholder in the state machine."""
        return "".join(word.capitalize() for word in self.name.split("_"))
