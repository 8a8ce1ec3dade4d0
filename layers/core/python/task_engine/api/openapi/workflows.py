"""Workflows: tasks of the engine."""

from __future__ import annotations

from task_engine.api.openapi.executions import IDEMPOTENCY_KEY, PATH_ID
from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.paging import PAGE_PARAMETERS
from task_engine.api.openapi.shapes import (
    ADDRESS,
    ANY,
    COUNT,
    ID,
    MILLISECONDS,
    OBJECT,
    TEXT,
    closed,
    fields,
    page_of,
    ref,
    several,
    told,
    words,
)
from task_engine.model.execution import ExecutionStatus
from task_engine.model.task import CompletionReason, TaskStatus
from task_engine.model.trigger import TriggerType

_STATES = words((*TaskStatus, "active", "executing", "canceled"))
_FILTER = (
    Parameter("smartWalletAddress", several(TEXT), "Of these wallets; none = of all."),
    Parameter("status", several(_STATES), "In one of these states."),
)
_WORKFLOW = fields(
    {
        "id": ID,
        "owner": ADDRESS,
        "smartWalletAddress": ADDRESS,
        "trigger": ref("Trigger"),
        "nodes": several(ref("Node")),
        "status": words(TaskStatus),
    },
    {
        "edges": several(ref("Edge")),
        "name": TEXT,
        "inputVariables": told(OBJECT, "Left out of the rows of lists."),
        "startAt": MILLISECONDS,
        "expiredAt": MILLISECONDS,
        "maxExecution": told(COUNT, "Runs in all."),
        "executionCount": told(COUNT, "Runs so far; absent when there were none."),
        "remainingExecutions": COUNT,
        "completionReason": words(CompletionReason),
        "statusReason": told(TEXT, "Why the engine has paused it."),
        "createdAt": MILLISECONDS,
        "completedAt": MILLISECONDS,
    },
)
_PATH = {"id": PATH_ID}
_CHANGED = {200: Success("The workflow as it is now.", ref("Workflow"))}

WORKFLOWS = Resource(
    tag="Workflows",
    description="Tasks: a trigger, nodes and edges.",
    operations={
        "POST /workflows": Operation(
            "createWorkflow",
            "Create a workflow",
            {201: Success("The workflow, enabled.", ref("Workflow"))},
            "Everything wrong with the request is told at once. "
            "`inputVariables.settings.runner` names the wallet that acts; it must be the caller's.",
            parameters=(IDEMPOTENCY_KEY,),
            body="CreateWorkflowRequest",
            errors=(400, 409, 413),
            event="workflows_create",
        ),
        "GET /workflows": Operation(
            "listWorkflows",
            "Workflows, newest first",
            {200: Success("A page.", ref("WorkflowPage"))},
            parameters=(*_FILTER, *PAGE_PARAMETERS),
            errors=(400,),
            event="workflows_list",
        ),
        "GET /workflows:count": Operation(
            "countWorkflows",
            "How many workflows there are",
            {200: Success("Their number.", ref("Total"))},
            "Wallets that are not the caller's are skipped.",
            parameters=_FILTER,
            errors=(400,),
            event="workflows_count",
        ),
        "GET /workflows/{id}": Operation(
            "getWorkflow",
            "One workflow",
            {200: Success("The workflow.", ref("Workflow"))},
            path=_PATH,
            errors=(404,),
            event="workflows_get",
        ),
        "DELETE /workflows/{id}": Operation(
            "deleteWorkflow",
            "Delete a workflow, its secrets and its state",
            {204: Success("The caller has no such workflow (any more).")},
            "Its executions stay readable.",
            path=_PATH,
            errors=(409,),
            event="workflows_delete",
        ),
        "POST /workflows/{id}:pause": Operation(
            "pauseWorkflow",
            "Pause a workflow; again is harmless",
            _CHANGED,
            path=_PATH,
            errors=(404, 409),
            event="workflows_pause",
        ),
        "POST /workflows/{id}:resume": Operation(
            "resumeWorkflow",
            "Resume a paused workflow; again is harmless",
            _CHANGED,
            path=_PATH,
            errors=(404, 409),
            event="workflows_resume",
        ),
        "POST /workflows/{id}:trigger": Operation(
            "triggerWorkflow",
            "Run a workflow now",
            {
                200: Success("The run has ended.", ref("TriggerWorkflowResponse")),
                202: Success("The run goes on.", ref("TriggerWorkflowResponse")),
            },
            path=_PATH,
            parameters=(IDEMPOTENCY_KEY,),
            body="TriggerWorkflowRequest",
            errors=(400, 404, 413),
            event="workflows_trigger",
        ),
        "GET /workflows/{id}/executions": Operation(
            "listWorkflowExecutions",
            "Executions of one workflow, newest first",
            {200: Success("A page.", ref("ExecutionPage"))},
            path=_PATH,
            parameters=PAGE_PARAMETERS,
            errors=(400, 404),
            event="workflows_executions",
        ),
    },
    schemas={
        "Workflow": _WORKFLOW,
        "WorkflowPage": page_of("Workflow"),
        "TriggerWorkflowRequest": closed(
            fields(
                {"triggerType": words(TriggerType)},
                {
                    "triggerOutput": told(ANY, "What the trigger found; step 0 shows it."),
                    "triggerInput": {
                        "type": ["object", "null"],
                        "description": "More variables of this run.",
                    },
                    "isBlocking": {
                        "type": ["boolean", "null"],
                        "default": False,
                        "description": "Answer when the run has ended, or waits for somebody.",
                    },
                },
            )
        ),
        "TriggerWorkflowResponse": fields(
            {"executionId": ID, "status": words(ExecutionStatus)},
            {"startAt": MILLISECONDS, "endAt": MILLISECONDS, "error": TEXT},
        ),
    },
)
