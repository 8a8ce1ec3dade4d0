"""Hears of every call that the functions of a stage make, and says which of them go wrong."""

from __future__ import annotations

import json
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

GO = "go"


@dataclass(frozen=True, order=True)
class Call:
    """A place where a function calls AWS (or another server): which operation on which tables,
    reached through which functions of the engine. `begin` and `end` are the handler's own."""

    function: str
    service: str
    operation: str
    tables: tuple[str, ...] = ()
    site: str = ""
    stale: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        names = ",".join(self.tables)
        place = [part for part in self.site.split(" > ") if part and "<" not in part]
        shown = f" in {' > '.join(place[-4:])}" if place else ""
        return f"{self.function}: {self.service}.{self.operation}({names}){shown}"


@dataclass(frozen=True, order=True)
class Fault:
    """What happens to the `nth` call of a kind, and to those after it, `times` in all; `nth` 0
    means each of them, for ever."""

    call: Call
    nth: int
    kind: str
    times: int = 1

    def __str__(self) -> str:
        return f"{self.kind} | {self.call} #{self.nth}"


@dataclass
class Watched:
    """Calls made for one task, and the faults that are to happen to them."""

    marker: str
    faults: list[Fault] = field(default_factory=list)
    calls: Counter[Call] = field(default_factory=Counter)
    happened: int = 0

    def answer(self, call: Call) -> str:
        """What the process shall do with its call."""
        self.calls[call] += 1
        number = self.calls[call]
        for fault in self.faults:
            hit = fault.nth == 0 or fault.nth <= number < fault.nth + fault.times
            if fault.call == call and hit:
                self.happened += 1
                return fault.kind
        return GO


@dataclass
class Control:
    """Open for the functions at `address` (host:port); `tables` are short names by long ones."""

    address: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    _watched: dict[str, Watched] = field(default_factory=dict)
    _invocations: dict[int, tuple[str, Watched | None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def watching(self, marker: str, *faults: Fault) -> Iterator[Watched]:
        """Calls of invocations whose event has `marker` in it."""
        watched = Watched(marker, list(faults))
        with self._lock:
            self._watched[marker] = watched
        try:
            yield watched
        finally:
            with self._lock:
                del self._watched[marker]

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question of a process."""
        with self._lock:
            if "begin" in question:
                return self._begin(str(question["begin"]), str(question["event"]))
            if "end" in question:
                function, watched = self._invocations.pop(int(question["end"]), ("", None))
                call = Call(function, "lambda", "end")
            else:
                told = question["call"]
                function, watched = self._invocations.get(told["invocation"], ("", None))
                call = self._call(function, told)
            return {"do": watched.answer(call) if watched else GO}

    def _call(self, function: str, told: dict[str, Any]) -> Call:
        tables = tuple(self._short(name) for name in told["tables"])
        # Which connection another server is asked on depends on what ran before.
        site = "" if told["service"] == "outside" else told["site"]
        return Call(function, told["service"], told["operation"], tables, site, told["stale"])

    def _short(self, name: str) -> str:
        """`table` or, in a transaction, `table:operation`."""
        table, colon, operation = name.partition(":")
        return self.tables.get(table, table) + colon + operation

    def _begin(self, function: str, event: str) -> dict[str, Any]:
        found = [watched for marker, watched in self._watched.items() if marker in event]
        number = len(self._invocations) + 1
        while number in self._invocations:
            number += 1
        self._invocations[number] = (function, found[0] if found else None)
        do = found[0].answer(Call(function, "lambda", "begin")) if found else GO
        return {"invocation": number, "do": do}


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        control: Control = self.server.control  # type: ignore[attr-defined]
        for line in self.rfile:
            self.wfile.write(json.dumps(control.answer(json.loads(line))).encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def control_server() -> Iterator[Control]:
    """A control on a free loopback port."""
    control = Control()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.control = control  # type: ignore[attr-defined]
        control.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield control
        finally:
            server.shutdown()
            thread.join()
