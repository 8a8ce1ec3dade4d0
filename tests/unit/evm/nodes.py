"""Real HTTP servers that answer JSON-RPC as a test says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAIN_ID = 11155111


@dataclass(frozen=True, slots=True)
class Failing:
    """An error object as the answer of a method."""

    code: int
    message: str
    data: Any = None

    def document(self) -> dict[str, Any]:
        told = {"code": self.code, "message": self.message}
        return told if self.data is None else {**told, "data": self.data}


@dataclass(frozen=True, slots=True)
class Raw:
    """A reply as it goes over the wire; `hang_up` sends none, `drips` sends it byte by byte, `cut`
    ends after half of it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    drips: bool = False
    cut: bool = False
    wait_for: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """One request: its calls in their order, and how it came."""

    methods: list[str]
    document: Any
    headers: dict[str, str]
    path: str
    connection: int


@dataclass
class JsonRpcNode:
    """Answers `results[method]` (a value, a Failing, or a function of the params).

    `replies` are given first, one for each request. `most` is the largest batch it takes, None =
    any; `too_large` is how it refuses a larger one. `shuffled` answers a batch backwards.
    """

    url: str = ""
    results: dict[str, Any] = field(default_factory=lambda: {"eth_chainId": hex(CHAIN_ID)})
    replies: list[Raw] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    most: int | None = None
    too_large: Raw = field(default_factory=lambda: Raw(413))
    shuffled: bool = False

    @property
    def host(self) -> str:
        return self.url.partition("://")[2].partition("/")[0]

    def methods(self) -> list[list[str]]:
        """Of each request."""
        return [request.methods for request in self.received]

    def reply(self, document: Any) -> Raw:
        """The reply to one request."""
        if self.replies:
            return self.replies.pop(0)
        if not isinstance(document, list):
            return _json(self._answer(document))
        if self.most is not None and len(document) > self.most:
            return self.too_large
        answers = [self._answer(call) for call in document]
        return _json(answers[::-1] if self.shuffled else answers)

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        result = self.results.get(call["method"], Failing(-32601, "no such method"))
        if callable(result):
            result = result(*call["params"])
        if isinstance(result, Failing):
            return {**head, "error": result.document()}
        return {**head, "result": result}


def in_turn(*results: Any) -> Callable[..., Any]:
    """A method that answers these, then the last of them for ever."""
    left = list(results)
    return lambda *_: left.pop(0) if len(left) > 1 else left[0]


def _json(document: Any) -> Raw:
    return Raw(body=json.dumps(document).encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node: JsonRpcNode
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        calls = document if isinstance(document, list) else [document]
        headers = {name.lower(): value for name, value in self.headers.items()}
        methods = [call["method"] for call in calls]
        port = self.client_address[1]
        self.node.received.append(Received(methods, document, headers, self.path, port))
        reply = self.node.reply(document)
        if reply.wait_for is not None:
            reply.wait_for.wait(10)
        self.close_connection = reply.hang_up
        if reply.hang_up:
            return
        # A caller that did not wait is what some tests are about.
        with contextlib.suppress(ConnectionError):
            self._send(reply)

    def _send(self, reply: Raw) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.cut:
            self.close_connection = True
            self.wfile.write(reply.body[: len(reply.body) // 2])
        elif reply.drips:
            for place in range(len(reply.body)):
                self.wfile.write(reply.body[place : place + 1])
                self.wfile.flush()
                time.sleep(0.01)
        else:
            self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def running_node(path: str = "/") -> Iterator[JsonRpcNode]:
    """On a free loopback port."""
    node = JsonRpcNode()
    handler = type("Handler", (_Handler,), {"node": node})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    node.url = f"http://127.0.0.1:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
