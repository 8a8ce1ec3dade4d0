"""What became of user operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from task_engine.errors import NotFound
from task_engine.model.operation import Operation

_HASH = re.compile(r"0[xX][0-9a-fA-F]{64}")


class Operations(Protocol):
    """Records of user operations."""

    def get(self, operation_id: str) -> Operation | None:
        """By what it is for."""

    def by_hash(self, owner: str, user_op_hash: str) -> Operation | None:
        """None when it is unknown or another owner's."""

    def create(self, operation: Operation) -> Operation:
        """Write it unless its id is known; returns what stands there then."""

    def save(self, operation: Operation) -> Operation:
        """Write how far it came unless it is final; returns what stands there then."""


class UserOperationService:
    """Looks operations up; `refresh` asks the chain about one that was pending when last seen."""

    def __init__(self, operations: Operations, refresh: Callable[[Operation], Operation]) -> None:
        self._operations = operations
        self._refresh = refresh

    def find(self, owner: str, user_op_hash: str) -> Operation:
        """Raises NotFound when it is unknown or another owner's."""
        found = None
        if _HASH.fullmatch(user_op_hash):
            found = self._operations.by_hash(owner, user_op_hash.lower())
        if found is None:
            raise NotFound("no such user operation", code="USEROP_NOT_FOUND")
        return found if found.status.final else self._refresh(found)
