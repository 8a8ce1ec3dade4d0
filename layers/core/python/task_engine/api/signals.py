"""The route by which people decide on waits."""

from __future__ import annotations

from task_engine.api.application import Application
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.api.wire_execution import execution_json
from task_engine.errors import InvalidRequest, Problem
from task_engine.services.signals import SignalService


def add_signal_route(app: Application, signals: SignalService) -> None:
    """POST /executions/{id}:signal"""

    def signal(request: Request) -> Reply:
        task_ids = request.many("workflowId")
        if not task_ids:
            problem = Problem("EXECUTIONS_WORKFLOW_REQUIRED", "workflowId", "is required")
            raise InvalidRequest("the workflow is missing", (problem,))
        fields = Fields(json_object(request.body))
        decision = fields.text("decision", required=True)
        payload = fields.anything("payload")
        fields.finish()
        caller = request.principal.owner
        execution = signals.signal(caller, task_ids[0], request.path["id"], decision, payload)
        return Reply(200, execution_json(execution))

    app.add("POST", "/executions/<id>:signal", signal)
