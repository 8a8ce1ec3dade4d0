"""Executions: runs of workflows."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.paging import PAGE_PARAMETERS
from task_engine.api.openapi.shapes import (
    ANY,
    COUNT,
    FLAG,
    ID,
    INT64,
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
from task_engine.model.node import NodeType
from task_engine.model.trigger import TriggerType

PATH_ID = told({"type": "string", "examples": ["01kdvt7qbgyx0wd3f8hq2m4n5q"]}, "A ULID, any case.")
WORKFLOW_ID = Parameter("workflowId", TEXT, "The workflow of the execution.", required=True)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    "The same key again has the same effect and the same answer.",
    place="header",
)
_WORKFLOW_IDS = Parameter(
    "workflowId", several(TEXT), "Of these workflows; none = of all that the caller has."
)
_STATUS = words(ExecutionStatus)
_CONTEXT = fields(
    {"is_simulated": FLAG, "chain_id": INT64, "provider": TEXT},
    description="Where and how the step ran.",
)
# Without a type: tools read it as the text or as one event of it.
_STREAM = {
    "description": "Frames of `data: ` with an ExecutionStatusSummary, each with an empty line.",
    "examples": ['data: {"id":"01kdvt7qbgyx0wd3f8hq2m4n5q","status":"success"}\n\n'],
}
_INTERVAL = {
    "type": "string",
    "pattern": (
        "^([+]?(0|(([0-9]{1,9}([.][0-9]{0,9})?|[.][0-9]{1,9})"
        "(ns|us|\u00b5s|\u03bcs|ms|s|m|h)){1,8}))?$"
    ),
    "default": "1s",
}
_STEP = fields(
    {
        "id": told(TEXT, "Of the trigger or node."),
        "type": words((*TriggerType, *NodeType)),
        "success": FLAG,
    },
    {
        "name": TEXT,
        "error": TEXT,
        "errorCode": told(TEXT, "Stable, for programs."),
        "log": TEXT,
        "inputs": told(several(TEXT), "Names that the step could read; never values."),
        "config": told(OBJECT, "As the author wrote it: templates are not filled in."),
        "metadata": ANY,
        "executionContext": _CONTEXT,
        "output": fields({"data": ANY}),
        "startAt": MILLISECONDS,
        "endAt": MILLISECONDS,
    },
    "What one node did; the first step is the trigger.",
)
_EXECUTION = fields(
    {"id": ID, "workflowId": TEXT, "status": _STATUS, "startAt": MILLISECONDS},
    {
        "index": told(COUNT, "Counts from 0 in each workflow."),
        "endAt": MILLISECONDS,
        "error": TEXT,
        "chainId": INT64,
        "steps": several(ref("ExecutionStep")),
        "skipped": told(several(TEXT), "Nodes that no branch led to."),
        "orphaned": told(FLAG, "The block that triggered it has left the chain since."),
    },
    "A run of a workflow; rows of lists have no steps.",
)

EXECUTIONS = Resource(
    tag="Executions",
    description="Runs of workflows and what each step did.",
    operations={
        "GET /executions": Operation(
            "listExecutions",
            "Executions of some workflows, newest first",
            {200: Success("A page.", ref("ExecutionPage"))},
            parameters=(
                Parameter(
                    "workflowId", several(TEXT, minItems=1), "Of these workflows.", required=True
                ),
                *PAGE_PARAMETERS,
            ),
            errors=(400, 404),
            event="executions_list",
        ),
        "GET /executions/{id}": Operation(
            "getExecution",
            "An execution with its steps",
            {200: Success("The execution.", ref("Execution"))},
            path={"id": PATH_ID},
            parameters=(WORKFLOW_ID,),
            errors=(400, 404),
            event="executions_get",
        ),
        "GET /executions/{id}:getStatus": Operation(
            "getExecutionStatus",
            "How far an execution is",
            {200: Success("Its status.", ref("ExecutionStatusSummary"))},
            path={"id": PATH_ID},
            parameters=(WORKFLOW_ID,),
            errors=(400, 404),
            event="executions_status",
        ),
        "GET /executions/{id}:stream": Operation(
            "streamExecution",
            "Every change of an execution's status",
            {200: Success("Server-sent events.", _STREAM, "text/event-stream")},
            "Held until the execution has ended, for 25 seconds at most; then ask again.",
            path={"id": PATH_ID},
            parameters=(
                WORKFLOW_ID,
                Parameter("interval", _INTERVAL, "How often to look; at least 250ms."),
            ),
            errors=(400, 404),
            event="executions_stream",
        ),
        "POST /executions/{id}:signal": Operation(
            "signalExecution",
            "Approve or reject what waits",
            {200: Success("The execution, without its steps.", ref("Execution"))},
            "Decides the first open wait that the caller may decide, and only once.",
            path={"id": PATH_ID},
            parameters=(WORKFLOW_ID,),
            body="SignalExecutionRequest",
            errors=(400, 403, 404, 413),
            event="executions_signal",
        ),
        "POST /executions/{id}:rerun": Operation(
            "rerunExecution",
            "Run it once more: a new execution with the same trigger record",
            {
                202: Success("Started.", ref("TriggerWorkflowResponse")),
                200: Success("A repeat of a run that has ended.", ref("TriggerWorkflowResponse")),
            },
            "Takes one run of the workflow's budget; the run's own variables are repeated too.",
            path={"id": PATH_ID},
            parameters=(WORKFLOW_ID, IDEMPOTENCY_KEY),
            errors=(400, 404),
            event="executions_rerun",
        ),
        "POST /executions/{id}:resume": Operation(
            "resumeExecution",
            "Have it go on after its stored steps",
            {200: Success("The execution, without its steps.", ref("Execution"))},
            "For one that stopped: what is stored is not run again, and the budget is not touched. "
            "One that is being walked is left alone; one that ran to its end is refused.",
            path={"id": PATH_ID},
            parameters=(WORKFLOW_ID,),
            errors=(400, 404, 409),
            event="executions_resume",
        ),
        "GET /executions:count": Operation(
            "countExecutions",
            "How many executions there have been",
            {200: Success("Their number.", ref("Total"))},
            parameters=(_WORKFLOW_IDS,),
            event="executions_count",
        ),
        "GET /executions:stats": Operation(
            "getExecutionStats",
            "Executions of the last seven days by outcome",
            {200: Success("The numbers.", ref("ExecutionStats"))},
            parameters=(_WORKFLOW_IDS,),
            event="executions_stats",
        ),
    },
    schemas={
        "Execution": _EXECUTION,
        "ExecutionStep": _STEP,
        "ExecutionPage": page_of("Execution"),
        "ExecutionStatusSummary": fields(
            {"id": ID, "status": _STATUS},
            {"workflowId": TEXT, "startAt": MILLISECONDS, "endAt": MILLISECONDS, "error": TEXT},
        ),
        "SignalExecutionRequest": closed(
            fields(
                {"decision": words(("approve", "reject"))},
                {"payload": told(ANY, "Becomes the data of the node that waited.")},
            )
        ),
        "ExecutionStats": fields(
            {"total": COUNT, "succeeded": COUNT, "failed": COUNT},
            {
                "pending": COUNT,
                "waiting": COUNT,
                "avgExecutionTime": {
                    "type": "number",
                    "minimum": 0,
                    "description": "Of finished ones, in milliseconds.",
                },
            },
        ),
    },
)
