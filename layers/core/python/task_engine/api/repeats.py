"""The routes by which owners run an execution once more, or have it go on."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.api.application import Application
from task_engine.api.http import Reply, Request
from task_engine.api.wire_execution import execution_json, triggered_json
from task_engine.errors import InvalidRequest, Problem
from task_engine.services.resume import ResumeService
from task_engine.services.triggers import TriggerService, key_occurrence


@dataclass(frozen=True, slots=True)
class Repeats:
    """Endpoints over the use cases."""

    triggers: TriggerService
    resumes: ResumeService

    def rerun(self, request: Request) -> Reply:
        """POST /executions/{id}:rerun"""
        owner, task_id, execution_id = _named(request)
        key = key_occurrence(request.headers.get("idempotency-key", ""))
        # No key has a space in it, so this is never the occurrence of a trigger.
        occurrence = f"{key} {execution_id}" if key else ""
        execution = self.triggers.rerun(owner, task_id, execution_id, occurrence)
        return Reply(200 if execution.status.final else 202, triggered_json(execution))

    def resume(self, request: Request) -> Reply:
        """POST /executions/{id}:resume"""
        return Reply(200, execution_json(self.resumes.resume(*_named(request))))


def add_repeat_routes(app: Application, repeats: Repeats) -> None:
    """POST /executions/{id}:rerun and :resume"""
    app.add("POST", "/executions/<id>:rerun", repeats.rerun)
    app.add("POST", "/executions/<id>:resume", repeats.resume)


def _named(request: Request) -> tuple[str, str, str]:
    """Owner, task and execution."""
    task_ids = request.many("workflowId")
    if not task_ids:
        problem = Problem("EXECUTIONS_WORKFLOW_REQUIRED", "workflowId", "is required")
        raise InvalidRequest("the workflow is missing", (problem,))
    return request.principal.owner, task_ids[0], request.path["id"].lower()
