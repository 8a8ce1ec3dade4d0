"""A JSON-RPC server before another one, that can be shut, or hold one method's calls back."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import urllib3

from infra_cdk.local.servers.loopback import Handler, LoopbackServer

_HELD_SECONDS = 60.0


class _Gate(Handler["RpcGate"]):
    def handle_request(self) -> None:
        body = self.body()
        methods = _methods(json.loads(body))
        self.owner.asked.update(methods)
        if self.owner.closed or not self.owner.passes(methods, answered=False):
            self.owner.refused += 1
            self.close_connection = True
            return
        answer = self.owner.http.request(
            "POST", self.owner.upstream, body=body, headers={"Content-Type": "application/json"}
        )
        if not self.owner.passes(methods, answered=True):
            self.close_connection = True
            return
        self.answer(answer.data, "application/json", answer.status)

    do_POST = handle_request  # noqa: N815 - the base class calls it by this name


class RpcGate(LoopbackServer):
    """Hangs up on whoever asks while it is `closed`; `asked` counts methods, `refused` requests.

    `hold` makes the next call of a method wait: before it is passed on (it never is then), or with
    its answer; `arrived` is set once one waits, `let_go` ends the waiting by hanging up.
    """

    handler = _Gate

    def __init__(self, upstream: str, port: int = 0) -> None:
        super().__init__(port)
        self.upstream = upstream
        self.http = urllib3.PoolManager(retries=False, timeout=30)
        self.closed = False
        self.refused = 0
        self.asked: Counter[str] = Counter()
        self.arrived = threading.Event()
        self._let_go = threading.Event()
        self._held: tuple[str, bool] | None = None

    def close(self) -> None:
        """Answer nobody from now on."""
        self.closed = True
        self.hang_up()

    def open(self) -> None:
        """Answer again."""
        self.closed = False

    def hold(self, method: str, *, answered: bool) -> None:
        """Let the next call of that method wait, `answered` by the server behind already or not."""
        self._held = (method, answered)

    def let_go(self) -> None:
        """End the waiting."""
        self._let_go.set()

    def passes(self, methods: list[str], *, answered: bool) -> bool:
        """Whether requests of these methods go on; waits for those that are held."""
        if self._held is None or self._held[1] is not answered or self._held[0] not in methods:
            return True
        self._held = None
        self.arrived.set()
        self._let_go.wait(_HELD_SECONDS)
        return False


def _methods(asked: Any) -> list[str]:
    return [each["method"] for each in (asked if isinstance(asked, list) else [asked])]
