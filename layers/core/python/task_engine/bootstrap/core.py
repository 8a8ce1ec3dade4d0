"""What every function shares: settings, clock and the clients of AWS."""

from __future__ import annotations

from functools import cache

from task_engine.clock import SystemClock
from task_engine.config import Settings


@cache
def settings() -> Settings:
    """The deployment's settings, read once."""
    return Settings.from_env()


@cache
def clock() -> SystemClock:
    """The machine's clock."""
    return SystemClock()
