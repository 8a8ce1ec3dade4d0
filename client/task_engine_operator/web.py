"""The two pages that machines ask an operator for: /metrics and /healthz."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from task_engine_operator.config import ConfigError
from task_engine_operator.metrics import CONTENT_TYPE, Report, metrics_text, problems_of


class MetricsServer:
    """Serves them until it is closed; `report` is asked for each request."""

    def __init__(self, host: str, port: int, report: Callable[[], Report]) -> None:
        handler = type("Handler", (_Handler,), {"report": staticmethod(report)})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise ConfigError([f"metrics can't be served on {host}:{port}: {error}"]) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    report: Callable[[], Report]
    timeout = 10

    def do_GET(self) -> None:
        report = type(self).report()
        if self.path == "/metrics":
            self._answer(200, CONTENT_TYPE, metrics_text(report))
        elif self.path == "/healthz":
            problems = problems_of(report)
            text = json.dumps({"ok": not problems, "problems": problems})
            self._answer(503 if problems else 200, "application/json", text)
        else:
            self._answer(404, "text/plain", "there are /metrics and /healthz\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as overridden
        """Scrapes are not worth a line each."""

    def _answer(self, status: int, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
