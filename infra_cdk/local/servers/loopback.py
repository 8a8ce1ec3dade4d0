"""What the loopback servers share: start, stop, command line, answering."""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Generic, Self, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, port: int, handler: type[BaseHTTPRequestHandler], owner: LoopbackServer
    ) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is expected here: it is what the tests do."""


class LoopbackServer:
    """A threaded HTTP server on 127.0.0.1, as a context manager; port 0 = any free one.

    `ended` is set when it stops, so that handlers which hold a client back let go at once.
    """

    handler: type[BaseHTTPRequestHandler]

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.ended = threading.Event()
        self.connections: set[socket.socket] = set()
        self._listener = _Listener(port, self.handler, self)
        if tls is not None:
            self._listener.socket = tls.wrap_socket(self._listener.socket, server_side=True)
        self.port: int = self._listener.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve in a thread of this process."""
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def serve(self) -> None:
        """Serve in this thread until it is interrupted."""
        self._listener.serve_forever()

    def hang_up(self) -> None:
        """Close the connections that clients keep open."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Stop listening and let waiting handlers go."""
        self.ended.set()
        self._listener.shutdown()
        self._listener.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


Owner = TypeVar("Owner", bound=LoopbackServer)


class Handler(BaseHTTPRequestHandler, Generic[Owner]):
    """Keeps connections alive and knows how to answer; subclasses say what."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Remember the connection."""
        super().setup()
        self.owner.connections.add(self.connection)

    def finish(self) -> None:
        """Forget it."""
        self.owner.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    @property
    def owner(self) -> Owner:
        """The server that this request came to."""
        return cast("Owner", cast("_Listener", self.server).owner)

    def answer(
        self,
        body: bytes,
        content_type: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value: object, status: int = 200) -> None:
        """Send a JSON answer."""
        self.answer(json.dumps(value).encode(), "application/json", status)

    def body(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def split(self) -> tuple[str, dict[str, str]]:
        """Path and query of the request."""
        parts = urlsplit(self.path)
        return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: what a request carries may be secret."""


def run_from_command_line(server: type[LoopbackServer]) -> None:
    """`--port N`; prints `{"url": …}` on one line, then serves until it is interrupted."""
    parser = argparse.ArgumentParser(description=server.__doc__)
    parser.add_argument("--port", type=int, default=0)
    running = server(parser.parse_args().port)
    sys.stdout.write(json.dumps({"url": running.url}) + "\n")
    sys.stdout.flush()
    try:
        running.serve()
    except KeyboardInterrupt:
        running.ended.set()
