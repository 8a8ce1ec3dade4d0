"""Routes of executions."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

from task_engine.api.application import Application, Gate
from task_engine.api.execution_list import list_executions
from task_engine.api.http import Reply, Request
from task_engine.api.repeats import Repeats, add_repeat_routes
from task_engine.api.signals import add_signal_route
from task_engine.api.wire_execution import detail_json, stats_json, status_json
from task_engine.errors import InvalidRequest, Problem
from task_engine.services.executions import ExecutionService
from task_engine.services.signals import SignalService

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}"
_UNIT = "ns|us|\u00b5s|\u03bcs|ms|s|m|h"
_PART = re.compile(rf"({_NUMBER})({_UNIT})")
_DURATION = re.compile(rf"\+?(?:0|(?:(?:{_NUMBER})(?:{_UNIT})){{1,8}})")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6}
_SECONDS |= {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LEAST_INTERVAL = 0.25
# API Gateway waits 29 s; it passes a reply on as a whole.
_HELD_SECONDS = 25.0


class Executions:
    """Endpoints over the use cases; `pause` sleeps for some seconds."""

    def __init__(self, executions: ExecutionService, pause: Callable[[float], None]) -> None:
        self._executions = executions
        self._pause = pause

    def list(self, request: Request) -> Reply:
        """GET /executions"""
        owner, task_ids = request.principal.owner, _task_ids(request)
        return list_executions(self._executions, request, owner, task_ids)

    def get(self, request: Request) -> Reply:
        """GET /executions/{id}"""
        task_id = _task_ids(request)[0]
        detail = self._executions.get(request.principal.owner, task_id, request.path["id"])
        return Reply(200, detail_json(detail))

    def status(self, request: Request) -> Reply:
        """GET /executions/{id}:getStatus"""
        task_id = _task_ids(request)[0]
        execution = self._executions.status(request.principal.owner, task_id, request.path["id"])
        return Reply(200, status_json(execution))

    def stream(self, request: Request) -> Reply:
        """GET /executions/{id}:stream: a frame for each status, held until the run has ended, for
        25 seconds at most (https://html.spec.whatwg.org/multipage/server-sent-events.html)"""
        task_id, interval = _task_ids(request)[0], _interval(request.one("interval"))
        owner, execution_id = request.principal.owner, request.path["id"]
        pauses = int(_HELD_SECONDS / interval)
        frames: list[str] = []
        last = ""
        for left in range(pauses, -1, -1):
            execution = self._executions.status(owner, task_id, execution_id)
            if execution.status.value != last:
                last = execution.status.value
                frames.append(f"data: {json.dumps(status_json(execution))}\n\n")
            if execution.status.final:
                break
            if left:
                self._pause(interval)
        return Reply(200, content_type="text/event-stream", text="".join(frames))

    def count(self, request: Request) -> Reply:
        """GET /executions:count"""
        total = self._executions.count(request.principal.owner, request.many("workflowId"))
        return Reply(200, {"total": total})

    def stats(self, request: Request) -> Reply:
        """GET /executions:stats"""
        stats = self._executions.stats(request.principal.owner, request.many("workflowId"))
        return Reply(200, stats_json(stats))


def _task_ids(request: Request) -> tuple[str, ...]:
    task_ids = request.many("workflowId")
    if not task_ids:
        problem = Problem("EXECUTIONS_WORKFLOW_REQUIRED", "workflowId", "is required")
        raise InvalidRequest("the workflow is missing", (problem,))
    return task_ids


def _interval(text: str) -> float:
    """Seconds of a Go duration (https://pkg.go.dev/time#ParseDuration), within what can be; "" is a
    second."""
    if not text:
        return 1.0
    if _DURATION.fullmatch(text) is None:
        problem = Problem("INVALID_REQUEST", "interval", "must be like 500ms, 1.5s or 1m30s")
        raise InvalidRequest("the stream can't be opened like this", (problem,))
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return min(max(seconds, _LEAST_INTERVAL), _HELD_SECONDS)


def build_app(
    gate: Gate,
    executions: ExecutionService,
    signals: SignalService,
    repeats: Repeats,
    pause: Callable[[float], None] = time.sleep,
) -> Application:
    """All routes below /executions."""
    on = Executions(executions, pause)
    app = Application(gate)
    app.add("GET", "/executions", on.list)
    app.add("GET", "/executions:count", on.count)
    app.add("GET", "/executions:stats", on.stats)
    app.add("GET", "/executions/<id>:getStatus", on.status)
    app.add("GET", "/executions/<id>:stream", on.stream)
    add_signal_route(app, signals)
    add_repeat_routes(app, repeats)
    app.add("GET", "/executions/<id>", on.get)
    return app
