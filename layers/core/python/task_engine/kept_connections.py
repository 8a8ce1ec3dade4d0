"""Idle HTTP connections kept for the next call, and whether they are still alive."""

from __future__ import annotations

import http.client
import select
import ssl
import threading
from functools import cache
from urllib.parse import urlsplit

_IDLE_CONNECTIONS = 16


class KeptConnections:
    """Connections by origin, e.g. `https://host:443`; safe for threads."""

    def __init__(self) -> None:
        self._idle: list[tuple[str, http.client.HTTPConnection]] = []
        self._lock = threading.Lock()

    def take(self, origin: str, timeout_seconds: float) -> http.client.HTTPConnection:
        """One that is alive or not yet connected; every single wait on it ends by the timeout."""
        connection = self._kept(origin) or _new(origin)
        connection.timeout = timeout_seconds
        if connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        return connection

    def give_back(self, origin: str, connection: http.client.HTTPConnection) -> None:
        """Keep it, unless it is closed or enough are kept. Its answer must have been read."""
        with self._lock:
            if connection.sock is not None and len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append((origin, connection))
                return
        connection.close()

    def _kept(self, origin: str) -> http.client.HTTPConnection | None:
        with self._lock:
            for place, (kept, connection) in reversed(list(enumerate(self._idle))):
                if kept == origin:
                    del self._idle[place]
                    if _alive(connection):
                        return connection
                    connection.close()
                    break
        return None


def _new(origin: str) -> http.client.HTTPConnection:
    parts = urlsplit(origin)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.netloc)
    return http.client.HTTPSConnection(parts.netloc, context=_tls())


@cache
def _tls() -> ssl.SSLContext:
    """One for all connections: reading the system's certificates takes long."""
    return ssl.create_default_context()


def _alive(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has kept it open; an idle one that can be read was closed, as after a
    pause between two invocations."""
    if connection.sock is None:
        return False
    watch = select.poll()
    watch.register(connection.sock, select.POLLIN)
    return not watch.poll(0)
