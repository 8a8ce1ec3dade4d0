"""Which methods a path has, for requests by another one (RFC 9110, section 15.5.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

_VARIABLE = re.compile(r"\{\w+\}")


class Routed(Protocol):
    """A route as far as this goes: its path has its variables as `{name}`."""

    @property
    def method(self) -> str:
        """GET, POST, …"""

    @property
    def path(self) -> str:
        """Below the base."""


def allowed_methods(routes: Iterable[Routed], path: str) -> tuple[str, ...]:
    """The methods of a path below the base, sorted; () when the path is no route's.

    A verb (`{id}:pause`) is never part of a variable here, so that unknown verbs have none.
    """
    found = {route.method for route in routes if _pattern(route.path).fullmatch(path)}
    return tuple(sorted(found))


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/:]+".join(map(re.escape, _VARIABLE.split(path))))
