"""Senders, and what they need from outside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from task_engine.errors import EngineError, Unavailable
from task_engine.model.operation import OperationStatus

if TYPE_CHECKING:
    from task_engine.evm.senders.receipt import Receipt
    from task_engine.evm.senders.record import SentRecord
    from task_engine.evm.user_operation import UserOperation


class SenderBusy(Unavailable):
    """Another process is sending with this key at the moment: the same call may succeed soon."""

    code = "SENDER_BUSY"


class KeyLease(Protocol):
    """At most one process at a time uses a key for one chain."""

    def hold(self, name: str, seconds: int) -> AbstractContextManager[None]:
        """Hold `name` for the block, `seconds` at most; raises SenderBusy.

        A holder that dies keeps it until the seconds are over. A holder that outlives them is not
        stopped: what it does under the lease must be safe even then.
        """


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an operation stands.

    `record` is what to keep for the next time; `receipt` is there for CONFIRMED and FAILED.
    `reason` says in words why it is not on chain yet, or never will be; `replaced_by` is the hash
    of the operation that took its nonce (then it is DROPPED); `error` is the refusal behind
    DROPPED, if one is known.
    """

    status: OperationStatus
    record: SentRecord
    receipt: Receipt | None = None
    reason: str = ""
    replaced_by: str = ""
    error: EngineError | None = None


Save: TypeAlias = "Callable[[SentRecord], None]"


class Sender(Protocol):
    """Gets signed operations on chain, each exactly once."""

    def send(self, op: UserOperation, record: SentRecord | None, save: Save) -> Outcome:
        """Do the next thing that brings the operation on chain; safe to repeat, whatever became
        of the calls before.

        `record` is the one last saved, None for an operation that was never sent. `save` is called
        with each new record before what it describes is sent; when it raises, nothing is.
        Raises OperationRefused and other errors only while nothing can have been sent by this
        call; after that failures are an Outcome that is not final.
        """

    def look(self, op: UserOperation, record: SentRecord) -> Outcome:
        """Where the operation stands; sends nothing."""
