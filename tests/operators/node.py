"""A node that errs: a proxy before a development chain."""

from __future__ import annotations

import json
import threading
from random import Random
from typing import Any

import urllib3

from infra_cdk.local.servers.loopback import Handler, LoopbackServer


class _Proxy(Handler["FlakyNode"]):
    def do_POST(self) -> None:  # noqa: N802
        body = self.body()
        fault = self.owner.fault()
        if fault == "status":
            self.answer(b"busy", "text/plain", 503)
        elif fault == "error":
            self._refuse(json.loads(body))
        elif fault == "cut":
            self.close_connection = True
            self.connection.close()
        else:
            answer = self.owner.ask(body)
            if fault == "half":
                answer = answer[: len(answer) // 2]
            self.answer(answer, "application/json")

    def _refuse(self, asked: Any) -> None:
        error = {"code": -32005, "message": "rate limit exceeded"}
        calls = asked if isinstance(asked, list) else [asked]
        answers = [{"jsonrpc": "2.0", "id": call["id"], "error": error} for call in calls]
        self.answer_json(answers if isinstance(asked, list) else answers[0])


class FlakyNode(LoopbackServer):
    """Passes requests on to `url`, but errs on each with probability `rate`, in four ways."""

    handler = _Proxy

    def __init__(self, url: str, rate: float) -> None:
        super().__init__()
        self._target = url
        self._rate = rate
        self._random = Random(5)
        self._lock = threading.Lock()
        self._http = urllib3.PoolManager(retries=False, timeout=30, maxsize=8)
        self.asked = self.erred = 0

    def fault(self) -> str:
        """How to err this time, "" for not at all."""
        with self._lock:
            self.asked += 1
            if self._random.random() >= self._rate:
                return ""
            self.erred += 1
            return self._random.choice(["status", "error", "cut", "half"])

    def ask(self, body: bytes) -> bytes:
        """The real node's answer."""
        headers = {"Content-Type": "application/json"}
        return bytes(self._http.request("POST", self._target, body=body, headers=headers).data)
