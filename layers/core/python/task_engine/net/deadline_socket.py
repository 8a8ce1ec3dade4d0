"""Sockets with one deadline over all they do, however many reads that takes."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


def seconds_left(deadline: float) -> float:
    """Time until the monotonic `deadline`; raises TimeoutError when there is none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline passed")
    return left


class DeadlineSocket(socket.socket):
    """A socket whose every operation gets what is left until `deadline` (monotonic seconds).

    A timeout per read would let a server that sends a byte now and then hold a client for ever.
    """

    deadline: float = float("inf")

    def _arm(self) -> None:
        super().settimeout(None if self.deadline == float("inf") else seconds_left(self.deadline))

    def settimeout(self, value: float | None) -> None:
        """Ignored once there is a deadline."""
        if self.deadline == float("inf"):
            super().settimeout(value)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """As `socket.recv_into`, until the deadline."""
        self._arm()
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """As `socket.sendall`, until the deadline."""
        self._arm()
        super().sendall(data, flags)


class DeadlineTlsSocket(ssl.SSLSocket):
    """The same over TLS; the handshake runs under the timeout of the socket that is wrapped."""

    deadline: float = float("inf")

    def _arm(self) -> None:
        if self.deadline != float("inf"):
            super().settimeout(seconds_left(self.deadline))

    def settimeout(self, value: float | None) -> None:
        """Ignored once there is a deadline."""
        if self.deadline == float("inf"):
            super().settimeout(value)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        """As `SSLSocket.recv_into`, until the deadline."""
        self._arm()
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """As `SSLSocket.send`, until the deadline."""
        self._arm()
        return super().send(data, flags)
