"""Where nodes may connect to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from task_engine.errors import NodeError
from task_engine.net.address_guard import is_public, literal_address
from task_engine.net.target import Target

Resolver = Callable[[str, int, float], Sequence[str]]
"""(name, port, seconds left) → addresses; raises NodeError."""


class EgressPolicy:
    """Public addresses only, but for the hosts named in `allowed_hosts`.

    Entries are `host` (any port) or `host:port`, IPv6 as `[::1]` or `[::1]:8080`; they match the
    host that stands in the URL, not what it resolves to.
    """

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(_entry(text) for text in allowed_hosts if text.strip())

    def allows_private(self, target: Target) -> bool:
        """Whether `target` may be private, because it is named."""
        return (target.host, target.port) in self._allowed or (target.host, None) in self._allowed

    def addresses(self, target: Target, resolve: Resolver, seconds: float) -> tuple[str, ...]:
        """The addresses to connect to, each checked. Raises NodeError when one is not public (one
        is enough: a name that mixes them is an attack) or when there is none."""
        found = [target.host] if target.literal else resolve(target.host, target.port, seconds)
        if not found:
            raise NodeError(
                "connection error: the host name has no address",
                code="RPC_NODE_ERROR",
                retryable=True,
            )
        if not self.allows_private(target) and not all(is_public(address) for address in found):
            raise NodeError(
                "the host's address is not on the public internet; nodes may not reach it",
                code="INVALID_NODE_CONFIG",
            )
        return tuple(found)


def _entry(text: str) -> tuple[str, int | None]:
    entry = text.strip().lower()
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = entry.partition(":")
    try:
        return literal_address(host) or host, int(port) if port else None
    except ValueError:
        return host, None
