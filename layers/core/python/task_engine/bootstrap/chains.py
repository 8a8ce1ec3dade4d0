"""Wiring of what reads chains: one client a chain, one memory of tokens, one simulator a process.

Loads Keccak: functions that may never read a chain import it late.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from task_engine.bootstrap.core import clock, settings
from task_engine.evm.chains import Chains

if TYPE_CHECKING:
    from task_engine.evm.simulation import ChainSimulator
    from task_engine.evm.tokens import TokenService


@cache
def chains() -> Chains:
    """The deployment's chains."""
    return Chains(settings().chains, clock=clock())


@cache
def tokens() -> TokenService:
    """Token metadata, remembered for the process's life."""
    from task_engine.evm.tokens import TokenService  # noqa: PLC0415

    return TokenService(chains())


@cache
def simulator() -> ChainSimulator:
    """What simulated runs have changed so far."""
    from task_engine.evm.simulation import ChainSimulator  # noqa: PLC0415

    return ChainSimulator(chains())
