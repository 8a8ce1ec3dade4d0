"""Pages of executions, for the two routes that list them."""

from __future__ import annotations

from task_engine.api.cursors import list_binding, page_json, page_request
from task_engine.api.http import Reply, Request
from task_engine.api.wire_execution import execution_json
from task_engine.services.executions import ExecutionService


def list_executions(
    service: ExecutionService, request: Request, owner: str, task_ids: tuple[str, ...]
) -> Reply:
    """A page of executions of some tasks."""
    binding = list_binding("executions", owner, [task_id.lower() for task_id in task_ids])
    page = service.page(owner, task_ids, page_request(request, binding))
    return Reply(200, page_json(page, binding, execution_json))
