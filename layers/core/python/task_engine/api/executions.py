"""Routes of executions."""

from __future__ import annotations

from task_engine.api.application import Application, Gate
from task_engine.api.execution_list import list_executions
from task_engine.api.http import Reply, Request
from task_engine.api.signals import add_signal_route
from task_engine.api.wire_execution import detail_json, stats_json, status_json
from task_engine.errors import InvalidRequest, Problem
from task_engine.services.executions import ExecutionService
from task_engine.services.signals import SignalService


class Executions:
    """Endpoints over the use cases."""

    def __init__(self, executions: ExecutionService) -> None:
        self._executions = executions

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


def build_app(gate: Gate, executions: ExecutionService, signals: SignalService) -> Application:
    """All routes below /executions."""
    on = Executions(executions)
    app = Application(gate)
    app.add("GET", "/executions", on.list)
    app.add("GET", "/executions:count", on.count)
    app.add("GET", "/executions:stats", on.stats)
    app.add("GET", "/executions/<id>:getStatus", on.status)
    add_signal_route(app, signals)
    app.add("GET", "/executions/<id>", on.get)
    return app
