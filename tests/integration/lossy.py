"""A way to the emulator on which an answer is lost: the call was made, its caller does not know."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class LossyWay:
    """`lose` holds operations whose next answer is lost; `made` all that came through."""

    url: str = ""
    lose: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    way: LossyWay
    target: str

    def do_POST(self) -> None:
        operation = str(self.headers.get("X-Amz-Target")).rpartition(".")[2]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        connection = http.client.HTTPConnection(self.target, timeout=10)
        connection.request("POST", self.path, body, dict(self.headers.items()))
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        self.way.made.append(operation)
        if operation in self.way.lose:
            self.way.lose.remove(operation)
            self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def lossy_way(endpoint: str) -> Iterator[LossyWay]:
    """A proxy of `endpoint` on a free loopback port."""
    way = LossyWay()
    handler = type("Handler", (_Handler,), {"way": way, "target": urlsplit(endpoint).netloc})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    way.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield way
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
