"""Secret values and their scopes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

MASK = "[secret]"


class SecretScope(StrEnum):
    """Narrowest wins when a name stands in several (docs/adr): workflow, user, server."""

    WORKFLOW = "workflow"
    USER = "user"
    SERVER = "server"


class SecretValue:
    """Plain text of a secret: can't be printed, formatted, pickled or put into JSON by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The plain text; call it only where it leaves the engine for its purpose."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret value can't be pickled")


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A secret without its value; times in ms since the epoch."""

    name: str
    scope: SecretScope
    task_id: str = ""
    created_at: int = 0
    updated_at: int = 0
