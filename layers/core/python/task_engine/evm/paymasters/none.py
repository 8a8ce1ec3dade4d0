"""The wallet pays for itself."""

from __future__ import annotations

from task_engine.evm.user_operation import UserOperation


class NoPaymaster:
    """Implements Paymaster; changes nothing."""

    def stub(self, op: UserOperation) -> UserOperation:
        """The same operation."""
        return op

    def sponsor(self, op: UserOperation) -> UserOperation:
        """The same operation."""
        return op
