"""urllib3 connections to an address that was checked, and the idle ones kept for reuse."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from urllib3.connection import HTTPConnection, HTTPSConnection

from task_engine.net.deadline_socket import DeadlineSocket, DeadlineTlsSocket, seconds_left
from task_engine.net.target import Target

# An address that does not answer must leave time for the next one.
_CONNECT_SECONDS = 10.0
_MAX_IDLE = 32
_MAX_IDLE_PER_HOST = 10


def tls_context() -> ssl.SSLContext:
    """Verifies certificates against the machine's authorities and the host's name."""
    context = ssl.create_default_context()
    context.sslsocket_class = DeadlineTlsSocket
    return context


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection leads: one checked address of one host."""

    target: Target
    address: str

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What two interchangeable connections have in common."""
        return (*self.target.origin, self.address)


def _dial(place: Place, deadline: float) -> DeadlineSocket:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    sock = DeadlineSocket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(min(_CONNECT_SECONDS, seconds_left(deadline)))
        socket.socket.connect(sock, (place.address, place.target.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds_left(deadline))
    except BaseException:
        sock.close()
        raise
    return sock


class PlainConnection(HTTPConnection):
    """HTTP to `place.address`; nothing is resolved again."""

    def __init__(self, place: Place, deadline: float) -> None:
        super().__init__(place.target.host, place.target.port)
        self._place = place
        self._until = deadline

    def _new_conn(self) -> socket.socket:
        return _dial(self._place, self._until)


class TlsConnection(HTTPSConnection):
    """HTTPS to `place.address`, with SNI and certificate check for the host's name."""

    def __init__(self, place: Place, deadline: float, context: ssl.SSLContext) -> None:
        super().__init__(place.target.host, place.target.port, ssl_context=context)
        self._place = place
        self._until = deadline

    def _new_conn(self) -> socket.socket:
        return _dial(self._place, self._until)


Connection = PlainConnection | TlsConnection


class Connections:
    """Idle connections by scheme, host, port and address; bounded, safe for threads."""

    def __init__(self, context: Callable[[], ssl.SSLContext] = tls_context) -> None:
        self._make_context = context
        self._context: ssl.SSLContext | None = None
        self._idle: OrderedDict[tuple[str, str, int, str], deque[tuple[float, Connection]]] = (
            OrderedDict()
        )
        self._lock = threading.Lock()

    def reuse(
        self, target: Target, addresses: tuple[str, ...], deadline: float, longest: float
    ) -> Idle | None:
        """A live connection to one of `addresses`, idle for at most `longest` seconds."""
        for address in addresses:
            place = Place(target, address)
            while (connection := self._take(place.key, longest)) is not None:
                sock = connection.sock
                if isinstance(sock, DeadlineSocket | DeadlineTlsSocket) and connection.is_connected:
                    sock.deadline = deadline
                    return Idle(place, connection)
                connection.close()
        return None

    def open(self, target: Target, addresses: tuple[str, ...], deadline: float) -> Idle:
        """A new connection to the first of `addresses` that can be connected to. Raises what the
        last one raised; nothing was sent then."""
        failure: OSError = OSError("no address")
        for address in addresses:
            place = Place(target, address)
            connection = self._make(place, deadline)
            try:
                connection.connect()
            except ssl.SSLError:
                connection.close()
                raise
            except OSError as error:
                connection.close()
                failure = error
                continue
            sock = connection.sock
            if isinstance(sock, DeadlineSocket | DeadlineTlsSocket):
                sock.deadline = deadline
            return Idle(place, connection)
        raise failure

    def give_back(self, idle: Idle) -> None:
        """Keep a connection whose answer was read to its end."""
        if idle.connection.sock is None:
            return
        dropped: list[Connection] = []
        with self._lock:
            queue = self._idle.setdefault(idle.place.key, deque())
            self._idle.move_to_end(idle.place.key)
            queue.append((time.monotonic(), idle.connection))
            if len(queue) > _MAX_IDLE_PER_HOST:
                dropped.append(queue.popleft()[1])
            if sum(map(len, self._idle.values())) > _MAX_IDLE:
                oldest = next(iter(self._idle))
                dropped.append(self._idle[oldest].popleft()[1])
                if not self._idle[oldest]:
                    del self._idle[oldest]
        for connection in dropped:
            connection.close()

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            kept = [connection for queue in self._idle.values() for _, connection in queue]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def _take(self, key: tuple[str, str, int, str], longest: float) -> Connection | None:
        expired: list[Connection] = []
        taken: Connection | None = None
        with self._lock:
            queue = self._idle.get(key, deque())
            while queue and taken is None:
                since, connection = queue.pop()
                if time.monotonic() - since > longest:
                    expired.append(connection)
                else:
                    taken = connection
            if not queue:
                self._idle.pop(key, None)
        for connection in expired:
            connection.close()
        return taken

    def _make(self, place: Place, deadline: float) -> Connection:
        if place.target.scheme == "http":
            return PlainConnection(place, deadline)
        with self._lock:
            if self._context is None:
                self._context = self._make_context()
        return TlsConnection(place, deadline, self._context)


@dataclass(frozen=True, slots=True)
class Idle:
    """A connection that carries no request, and where it leads."""

    place: Place
    connection: Connection
