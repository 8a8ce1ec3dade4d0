"""Work in a forked child with a deadline at which it is killed, whatever it does.

Neither shared memory nor semaphores are needed: AWS Lambda has no /dev/shm.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from task_engine.errors import NodeError
from task_engine.template.failures import ScriptError, limit_exceeded

_FORKING = threading.Lock()
_CHUNK = 1 << 20


def run_in_child(work: Callable[[], str], seconds: float, what: str) -> str:
    """The text that `work` returns in a child; a NodeError raised there is raised here.

    Raises NodeError EXECUTION_ENGINE_ERROR when it is not done after `seconds`, or died. The child
    is gone when this returns. Costs a few milliseconds.
    """
    # Were two threads to fork at once, a child could hold the writing end of the other's pipe,
    # and the other's end would not be seen while that child lives.
    with _FORKING:
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            _serve(work, write_end, seconds)
        os.close(write_end)
    try:
        answer = _read(read_end, time.monotonic() + seconds)
    finally:
        os.close(read_end)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if answer is None:
        raise limit_exceeded(f"timeout: the {what} did not end within {seconds:.3g} seconds")
    return _unpack(answer, what)


def _serve(work: Callable[[], str], write_end: int, seconds: float) -> NoReturn:
    """In the child: never returns, and never runs what the parent would at its exit."""
    try:
        gc.disable()
        _limit_processor(seconds)
        try:
            answer = b"+" + work().encode("utf-8", "replace")
        except ScriptError as error:
            answer = b"!" + error.message.encode("utf-8", "replace")
        except NodeError as error:
            answer = b"-" + json.dumps([error.stable_code, error.message]).encode()
        except Exception as error:
            answer = b"?" + type(error).__name__.encode()
        view = memoryview(answer + b"\n")
        while view:
            view = view[os.write(write_end, view) :]
    finally:
        os._exit(0)


def _limit_processor(seconds: float) -> None:
    """The kernel ends the child if its parent is gone and can't; times inside are UTC."""
    hard = int(seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.environ.get("TZ", "UTC") not in ("UTC", ":UTC"):
        os.environ["TZ"] = "UTC"
        time.tzset()


def _read(read_end: int, deadline: float) -> bytes | None:
    """All that the child writes, None when the deadline passes before it ends."""
    poller = select.poll()
    poller.register(read_end, select.POLLIN)
    pieces: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            return None
        piece = os.read(read_end, _CHUNK)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _unpack(answer: bytes, what: str) -> str:
    if not answer.endswith(b"\n"):
        raise limit_exceeded(f"the {what} ended without a result")
    text = answer[1:-1].decode()
    if answer[:1] == b"?":
        raise limit_exceeded(f"the {what} ended without a result ({text})")
    if answer[:1] == b"!":
        raise ScriptError(text)
    if answer[:1] == b"-":
        code, message = json.loads(text)
        raise NodeError(message, code=code)
    return text
