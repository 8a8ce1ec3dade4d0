"""A real HTTP server with well-behaved and with hostile answers."""

from __future__ import annotations

import gzip
import io
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from functools import cache

from infra_cdk.local.servers.loopback import Handler, LoopbackServer, run_from_command_line

_MEGABYTE = 1_048_576


class _Routes(Handler["HttpServer"]):
    """One method per route; `/status/404` calls `status` with `404`."""

    def handle_request(self) -> None:
        path, query = self.split()
        name, _, rest = path.strip("/").partition("/")
        route = _ROUTES.get(name)
        if route is None:
            self.answer_json({"error": "no such route"}, 404)
        else:
            route(self, rest, query)

    def echo(self, _rest: str, query: dict[str, str]) -> None:
        self.answer_json(
            {
                "method": self.command,
                "path": self.path.partition("?")[0],
                "query": query,
                "headers": dict(self.headers.items()),
                "body": self.body().decode("utf-8", "replace"),
            }
        )

    def give_back(self, _rest: str, _query: dict[str, str]) -> None:
        self.answer(self.body(), self.headers.get("Content-Type") or "text/plain")

    def status(self, rest: str, _query: dict[str, str]) -> None:
        self.body()
        status = int(rest)
        if status in (204, 304):
            self.send_response(status)
            self.end_headers()
        else:
            self.answer_json({"status": status}, status)

    def slow(self, _rest: str, query: dict[str, str]) -> None:
        self.owner.ended.wait(float(query.get("seconds", "60")))
        self.answer_json({"slow": True})

    def drip(self, _rest: str, query: dict[str, str]) -> None:
        """A body that comes byte by byte: no single read is slow."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.owner.ended.wait(float(query.get("seconds", "0.02"))):
            self.wfile.write(b".")
            self.wfile.flush()

    def drip_headers(self, _rest: str, _query: dict[str, str]) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.owner.ended.wait(0.02):
            self.wfile.write(b".")
            self.wfile.flush()

    def endless(self, _rest: str, _query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not self.owner.ended.is_set():
            self.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    def cut(self, _rest: str, _query: dict[str, str]) -> None:
        """Promises more than it sends."""
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def drop(self, _rest: str, _query: dict[str, str]) -> None:
        """Hangs up without an answer."""
        self.body()
        self.close_connection = True

    def redirect(self, _rest: str, query: dict[str, str]) -> None:
        self.body()
        headers = {"Location": query["to"]}
        self.answer(b"", "text/plain", int(query.get("status", "302")), headers)

    def bounce(self, rest: str, _query: dict[str, str]) -> None:
        """Redirects `rest` times."""
        left = int(rest or "0")
        if left == 0:
            self.answer_json({"arrived": True})
        else:
            self.answer(b"", "text/plain", 302, {"Location": f"/bounce/{left - 1}"})

    def gzip_bomb(self, _rest: str, query: dict[str, str]) -> None:
        body = _compressed_zeros(int(query.get("megabytes", "100")))
        self.answer(body, "application/octet-stream", headers={"Content-Encoding": "gzip"})

    def bad_gzip(self, _rest: str, _query: dict[str, str]) -> None:
        self.answer(b"not gzip at all", "text/plain", headers={"Content-Encoding": "gzip"})

    def gzipped(self, _rest: str, _query: dict[str, str]) -> None:
        body = gzip.compress(b'{"zipped": true}')
        self.answer(body, "application/json", headers={"Content-Encoding": "gzip"})

    def html(self, _rest: str, _query: dict[str, str]) -> None:
        self.body()
        self.answer(b"<!doctype html><h1>It works</h1>", "text/html; charset=utf-8")

    def bytes(self, rest: str, _query: dict[str, str]) -> None:
        self.answer(b"\xff" * int(rest or "16"), "application/octet-stream")

    def cookies(self, _rest: str, _query: dict[str, str]) -> None:
        self.send_response(201)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def count(self, rest: str, query: dict[str, str]) -> None:
        """Counts requests of a key, then waits `seconds`; `/counted/<key>` only tells."""
        self.body()
        count = self.owner.add(rest)
        self.owner.ended.wait(float(query.get("seconds", "0")))
        self.answer_json({"key": rest, "count": count})

    def connection_port(self, _rest: str, _query: dict[str, str]) -> None:
        """The client's port: the same for requests of one connection."""
        self.body()
        self.answer_json({"port": self.client_address[1]})

    def counted(self, rest: str, _query: dict[str, str]) -> None:
        self.answer_json({"key": rest, "count": self.owner.count(rest)})


_ROUTES: dict[str, Callable[[_Routes, str, dict[str, str]], None]] = {
    "echo": _Routes.echo,
    "return": _Routes.give_back,
    "status": _Routes.status,
    "slow": _Routes.slow,
    "drip": _Routes.drip,
    "drip-headers": _Routes.drip_headers,
    "endless": _Routes.endless,
    "cut": _Routes.cut,
    "drop": _Routes.drop,
    "redirect": _Routes.redirect,
    "bounce": _Routes.bounce,
    "gzip-bomb": _Routes.gzip_bomb,
    "bad-gzip": _Routes.bad_gzip,
    "gzipped": _Routes.gzipped,
    "html": _Routes.html,
    "bytes": _Routes.bytes,
    "set-cookie": _Routes.cookies,
    "connection": _Routes.connection_port,
    "count": _Routes.count,
    "counted": _Routes.counted,
}

for _method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
    setattr(_Routes, f"do_{_method}", _Routes.handle_request)


@cache
def _compressed_zeros(megabytes: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as packed:
        for _ in range(megabytes):
            packed.write(bytes(_MEGABYTE))
    return out.getvalue()


class HttpServer(LoopbackServer):
    """HTTP on loopback: echo, statuses, redirects, counters, slow, endless and bloated bodies."""

    handler = _Routes

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__(port, tls)

    def add(self, key: str) -> int:
        """Count one request of `key`; returns how many there were."""
        with self._lock:
            self._counts[key] += 1
            return self._counts[key]

    def count(self, key: str) -> int:
        """How many requests of `key` came."""
        with self._lock:
            return self._counts[key]


if __name__ == "__main__":
    run_from_command_line(HttpServer)
