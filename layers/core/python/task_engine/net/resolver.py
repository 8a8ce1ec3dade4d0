"""Names to addresses, within a deadline."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

from task_engine.errors import NodeError


def system_resolver(name: str, port: int, seconds: float) -> Sequence[str]:
    """Addresses of `name` in the order to try them (RFC 6724), by the machine's resolver.

    The lookup itself can't be interrupted, so it has a thread of its own that is left behind at
    the deadline. Raises NodeError.
    """
    found: list[str] = []
    failed: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if thread.is_alive():
        raise NodeError(
            "timeout: the host name was not resolved in time",
            code="RPC_NODE_ERROR",
            retryable=True,
        )
    if failed:
        raise NodeError(
            "connection error: the host name could not be resolved",
            code="RPC_NODE_ERROR",
            retryable=True,
        ) from failed[0]
    return found
