"""Put on a function's path in the fault stage only: asks the test before and after every call that
the process makes, and dies, waits or lies as it is told. Python imports a module of this name by
itself, so no code of the engine knows of it."""

from __future__ import annotations

import http.client
import importlib.machinery
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType, ModuleType
from typing import Any

_ADDRESS = os.environ.get("FAULT_CONTROL", "")
_HANDLER = re.compile(r"functions\.(\w+)\.handler")
_SERVICE = re.compile(rb"credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", re.IGNORECASE)
_OPERATION = re.compile(rb"^x-amz-target: *\w+\.(\w+)", re.IGNORECASE | re.MULTILINE)
_DIED = 137

Json = dict[str, Any]


class _Control:
    """The connection to the test; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: Any = None
        self.invocation = 0

    def ask(self, question: Json) -> Json:
        with self._lock:
            if self._stream is None:
                host, _, port = _ADDRESS.partition(":")
                self._stream = socket.create_connection((host, int(port))).makefile("rwb")
            self._stream.write(json.dumps(question).encode() + b"\n")
            self._stream.flush()
            answer: Json = json.loads(self._stream.readline() or b"{}")
            return answer


_control = _Control()


class _Told:
    """An answer that never came from AWS."""

    def __init__(self, status: int, document: Json) -> None:
        self.status = status
        self._body = json.dumps(document).encode()

    def read(self) -> bytes:
        return self._body

    def getheader(self, _name: str, default: str | None = None) -> str | None:
        return default


_TOLD: dict[str, tuple[int, Json]] = {
    "throttled": (400, {"__type": "x#ThrottlingException", "message": "told by the test"}),
    "unavailable": (500, {"__type": "x#InternalServerError", "message": "told by the test"}),
}
_EMPTY: dict[str, Json] = {
    "GetItem": {},
    "Query": {"Items": [], "Count": 0, "ScannedCount": 0},
}

_really_send = http.client.HTTPConnection.endheaders
_really_receive = http.client.HTTPConnection.getresponse


def _document(body: object) -> Json:
    try:
        document = json.loads(body) if isinstance(body, (bytes, str)) else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _call(connection: Any, body: object) -> Json:
    head = b"\n".join(connection._buffer)
    service, operation = _SERVICE.search(head), _OPERATION.search(head)
    request = connection._buffer[0].decode("latin-1")
    document = _document(body)
    tables = sorted(document.get("RequestItems") or [document.get("TableName") or ""])
    for write in document.get("TransactItems") or []:
        [(kind, item)] = write.items()
        tables.append(f"{item['TableName']}:{kind}Item")
    return {
        "service": service[1].decode() if service else "outside",
        "operation": operation[1].decode() if operation else request.partition(" ")[0],
        "tables": [str(table) for table in tables if table],
        "stale": operation is not None
        and operation[1].decode() in _EMPTY
        and not document.get("ConsistentRead"),
        "site": _site(),
    }


def _site() -> str:
    """Which functions of the engine led here, innermost last."""
    names: list[str] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_qualname if _NAMED else ""
        if f"{os.sep}task_engine{os.sep}" in file and not name.startswith("AwsClient."):
            names.append(name)
        frame = frame.f_back
    return " > ".join(reversed(names))


_NAMED = sys.version_info >= (3, 11)


def _send(self: Any, message_body: Any = None, *, encode_chunked: bool = False) -> None:
    call = _call(self, message_body)
    call["invocation"] = _control.invocation
    do = str(_control.ask({"call": call}).get("do", "go"))
    self.fault = do
    if do == "die before":
        os._exit(_DIED)
    if do in _TOLD or do == "stale":
        self._buffer.clear()
        self.told = _Told(*_TOLD.get(do, (200, _EMPTY.get(call["operation"], {}))))
        return
    _really_send(self, message_body, encode_chunked=encode_chunked)


def _receive(self: Any) -> Any:
    do = getattr(self, "fault", "go")
    if do in _TOLD or do == "stale":
        self._HTTPConnection__state = "Idle"
        return self.told
    response = _really_receive(self)
    if do in ("die after", "lost", "timed out"):
        response.read()
        if do == "die after":
            os._exit(_DIED)
        raise TimeoutError("told by the test") if do == "timed out" else ConnectionResetError()
    return response


class _Loader(importlib.machinery.SourceFileLoader):
    """Wraps the handler, so that calls are known to belong to an invocation."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        found = _HANDLER.fullmatch(module.__name__)
        name = found[1] if found else ""
        module.__dict__["lambda_handler"] = _told_of(name, module.__dict__["lambda_handler"])


def _told_of(function: str, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def lambda_handler(event: Any, context: Any) -> Any:
        begun = _control.ask({"begin": function, "event": json.dumps(event)})
        _control.invocation = int(begun.get("invocation", 0))
        if begun.get("do") == "die before":
            os._exit(_DIED)
        answer = handler(event, context)
        ended = _control.ask({"end": _control.invocation})
        if ended.get("do") == "die after":
            os._exit(_DIED)
        return answer

    return lambda_handler


class _Finder:
    """Finds the handlers' modules as ever, for the loader above."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if not _HANDLER.fullmatch(name):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin:
            spec.loader = _Loader(name, spec.origin)
        return spec


if _ADDRESS:
    http.client.HTTPConnection.endheaders = _send  # type: ignore[method-assign]
    http.client.HTTPConnection.getresponse = _receive  # type: ignore[method-assign]
    sys.meta_path.insert(0, _Finder)
