"""Repeating a transaction that met another one: a conflict is nobody's fault and passes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from task_engine.aws.failures import TransactionCanceled
from task_engine.errors import Unavailable

_TRIES = 10
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


def conflicted(error: TransactionCanceled) -> bool:
    """Whether nothing but another transaction stood in the way."""
    reasons = set(error.reasons) - {"None"}
    return bool(reasons) and reasons <= _PASSING


def pause(attempt: int) -> None:
    """Full jitter, up to 0.8 s."""
    time.sleep(random.uniform(0, min(0.8, 0.01 * 2**attempt)))


def repeated(transact: Callable[[], None]) -> None:
    """Run until it does not conflict; raises its TransactionCanceled for any other reason, and
    Unavailable when conflicts don't end."""
    for attempt in range(_TRIES):
        try:
            transact()
        except TransactionCanceled as error:
            if not conflicted(error):
                raise
        else:
            return
        pause(attempt)
    raise Unavailable("too many writers at once: try again")
