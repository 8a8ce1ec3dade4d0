"""What a sender needs from outside."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from task_engine.errors import Unavailable


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
