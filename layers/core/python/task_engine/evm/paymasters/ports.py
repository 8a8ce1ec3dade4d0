"""Sponsors of operations."""

from __future__ import annotations

from typing import Protocol

from task_engine.errors import NodeError
from task_engine.evm.user_operation import UserOperation


class SponsorRefused(NodeError):
    """The operation is not paid for; it never falls back to the wallet's own money."""

    code = "INSUFFICIENT_CREDIT"


class Paymaster(Protocol):
    """Fills an operation's paymaster group, all or nothing."""

    def stub(self, op: UserOperation) -> UserOperation:
        """With a group of the right size, for estimating; raises SponsorRefused."""

    def sponsor(self, op: UserOperation) -> UserOperation:
        """With the group that pays, once all gas fields are final; only the wallet's signature
        comes after it. Raises SponsorRefused."""
