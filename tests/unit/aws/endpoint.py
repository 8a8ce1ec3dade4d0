"""A real HTTP endpoint that answers AWS calls with what a test wrote down."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Answer:
    """`hang_up` closes the connection without an answer; `wait_for` is awaited first."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    close_after: bool = False
    wait_for: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Endpoint:
    """Answers in order, then `{}` with status 200 for ever."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def refuse(self, name: str, status: int = 400, **more: object) -> None:
        """Add an error of the JSON protocols."""
        document = {"__type": f"com.amazonaws.service#{name}", **more}
        self.answers.append(Answer(status, json.dumps(document).encode()))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: Endpoint

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.client_address[1]
        self.endpoint.received.append(Received(self.command, self.path, headers, body, port))
        answer = self.endpoint.answers.pop(0) if self.endpoint.answers else Answer()
        if answer.wait_for is not None:
            answer.wait_for.wait(10)
        self.close_connection = answer.hang_up or answer.close_after
        if answer.hang_up:
            return
        # A caller that did not wait is what some tests are about.
        with contextlib.suppress(ConnectionError):
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names of the library

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def running_endpoint() -> Iterator[Endpoint]:
    """On a free loopback port."""
    endpoint = Endpoint()
    handler = type("Handler", (_Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
