"""Leases on names, e.g. of a key: whoever dies holding one loses it by time."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from task_engine.aws.dynamo import Delete, Dynamo
from task_engine.aws.taken_names import take_name
from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import ConditionFailed, Unavailable
from task_engine.evm.senders.ports import SenderBusy

_PAUSE_SECONDS = 0.05


class LeaseRepository:
    """Implements KeyLease by conditional writes to the table of guards.

    A taken lease is tried for again for `patience_seconds`: holders keep it for some round trips.
    """

    def __init__(
        self,
        dynamo: Dynamo,
        settings: Settings,
        clock: Clock,
        *,
        patience_seconds: float = 3.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._dynamo = dynamo
        self._settings = settings
        self._clock = clock
        self._patience = patience_seconds
        self._sleep = sleep

    @contextmanager
    def hold(self, name: str, seconds: int) -> Iterator[None]:
        """As KeyLease says."""
        holder = os.urandom(8).hex()
        until = self._clock.monotonic() + self._patience
        while not self._take(name, holder, seconds):
            if self._clock.monotonic() >= until:
                raise SenderBusy("the sending key is in use; try again in a moment")
            self._sleep(random.uniform(_PAUSE_SECONDS / 2, _PAUSE_SECONDS))
        try:
            yield
        finally:
            # A lease that can't be given back ends by itself; the work under it is done.
            with suppress(ConditionFailed, Unavailable):
                self._release(name, holder)

    def _take(self, name: str, holder: str, seconds: int) -> bool:
        now, table = self._clock.now_ms() // 1000, self._settings.name("TABLE_GUARDS")
        return take_name(self._dynamo, table, name, holder, (now, now + seconds))

    def _release(self, name: str, holder: str) -> None:
        key = {"name": name}
        table = self._settings.name("TABLE_GUARDS")
        self._dynamo.delete(Delete(table, key, "#holder = :holder", {"holder": holder}))
