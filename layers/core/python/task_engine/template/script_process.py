"""One script in a child process with a deadline: what the sandbox can't interrupt, SIGKILL can.

A fork costs a few milliseconds and needs neither shared memory nor semaphores, which Lambda lacks.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Mapping

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.template.sandbox import Bounds, ScriptLimit, evaluate

# The sandbox's own limit comes first, with a better message; this is the last line.
_GRACE_SECONDS = 1.0
_CHUNK = 1 << 20


def evaluate_in_child(code: str, bindings: Mapping[str, JsonValue], bounds: Bounds) -> JsonValue:
    """As `sandbox.evaluate`, ended for certain a second after the time limit.

    Raises NodeError with JavaScript's message, ScriptLimit for a limit or a child that died.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(writing, code, bindings, bounds)
    os.close(writing)
    try:
        raw = _read(reading, time.monotonic() + bounds.seconds + _GRACE_SECONDS)
    finally:
        os.close(reading)
        _end(child)
    if raw is None:
        raise ScriptLimit(f"timeout: the script ran longer than {bounds.seconds:g} s")
    if not raw:
        raise ScriptLimit("the script ended its process: it probably ran out of memory")
    return _answer(json.loads(raw))


def _work(writing: int, code: str, bindings: Mapping[str, JsonValue], bounds: Bounds) -> None:
    """The child's whole life; it never returns, so nothing of the parent's runs twice."""
    try:
        try:
            answer = {"value": evaluate(code, bindings, bounds)}
        except NodeError as error:
            answer = {"error": error.message, "code": error.stable_code}
        raw = json.dumps(answer).encode()
        while raw:
            raw = raw[os.write(writing, raw) :]
    finally:
        os._exit(0)


def _read(reading: int, deadline: float) -> bytes | None:
    """All that the child writes; None when the deadline is first."""
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        ready, _, _ = select.select([reading], [], [], left)
        if not ready:
            return None
        part = os.read(reading, _CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _end(child: int) -> None:
    # A child that has written its answer is leaving already; killing it harms nothing.
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _answer(document: dict[str, JsonValue]) -> JsonValue:
    if "error" not in document:
        return document["value"]
    message, code = str(document["error"]), str(document["code"])
    if code == ScriptLimit.code:
        raise ScriptLimit(message)
    raise NodeError(message, code=code)
