"""Nodes, triggers and workflows tried without being created."""

from __future__ import annotations

from task_engine.api.openapi.executions import IDEMPOTENCY_KEY
from task_engine.api.openapi.operation import Operation, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
    ANY,
    CHAIN_ID,
    COUNT,
    FLAG,
    INT64,
    OBJECT,
    TEXT,
    closed,
    fields,
    ref,
    several,
    told,
    words,
)

_CHAIN = {**CHAIN_ID, "type": ["integer", "null"]}
_VARIABLES = {"type": ["object", "null"], "description": "Values that can be read by name."}
_AMOUNT = told(TEXT, "A decimal number.")
_RESULT = {
    "error": TEXT,
    "errorCode": told(TEXT, "Stable, for programs."),
    "output": told(OBJECT, "`data` holds what later nodes would read."),
    "metadata": OBJECT,
}
_OVERRIDE = closed(
    fields(
        {"tokenAddress": ADDRESS, "ownerAddress": ADDRESS},
        {
            "spenderAddress": ADDRESS,
            "balance": TEXT,
            "allowance": TEXT,
            "balanceSlot": COUNT,
            "allowanceSlot": COUNT,
        },
    )
)

ONE_SHOT = Resource(
    tag="Trying out",
    description="For editors: nothing is created, and no write leaves the service.",
    operations={
        "POST /nodes:run": Operation(
            "runNode",
            "Run one node by itself",
            {200: Success("What it gave; failures are in the body.", ref("RunNodeResponse"))},
            parameters=(IDEMPOTENCY_KEY,),
            body="RunNodeRequest",
            errors=(400, 409, 413),
            event="nodes_run",
        ),
        "POST /triggers:run": Operation(
            "runTrigger",
            "What a trigger would bring now",
            {200: Success("Its data; failures are in the body.", ref("RunTriggerResponse"))},
            body="RunTriggerRequest",
            errors=(400, 413),
            event="triggers_run",
        ),
        "POST /workflows:simulate": Operation(
            "simulateWorkflow",
            "Run a workflow without creating it",
            {200: Success("A run that is not stored; `workflowId` is empty.", ref("Execution"))},
            "Without edges, every node follows the trigger.",
            body="SimulateWorkflowRequest",
            errors=(400, 413),
            event="workflows_simulate",
        ),
        "POST /workflows:estimateFees": Operation(
            "estimateFees",
            "What one run would cost",
            {200: Success("The fees.", ref("EstimateFeesResponse"))},
            body="EstimateFeesRequest",
            errors=(400, 413, 503),
            event="workflows_estimate_fees",
        ),
    },
    schemas={
        "RunNodeRequest": closed(
            fields(
                {"node": ref("Node")},
                {
                    "inputVariables": _VARIABLES,
                    "chainId": told(_CHAIN, "For a node on chain that names none."),
                    "erc20Overrides": {
                        "type": ["array", "null"],
                        "items": ref("ERC20StateOverride"),
                    },
                },
            )
        ),
        "ERC20StateOverride": _OVERRIDE,
        "RunNodeResponse": fields(
            {"success": FLAG},
            {
                **_RESULT,
                "executionContext": fields(
                    {}, {"is_simulated": FLAG, "chain_id": INT64, "provider": TEXT}
                ),
            },
        ),
        "RunTriggerRequest": closed(
            fields({"trigger": ref("Trigger")}, {"triggerInput": _VARIABLES})
        ),
        "RunTriggerResponse": fields({"success": FLAG}, _RESULT),
        "SimulateWorkflowRequest": closed(
            fields(
                {
                    "trigger": ref("Trigger"),
                    "nodes": several(ref("Node"), minItems=1),
                    "inputVariables": ref("InputVariables"),
                },
                {
                    "edges": several(ref("Edge")),
                    "chainId": _CHAIN,
                    "name": TEXT,
                    "smartWalletAddress": ADDRESS,
                },
            )
        ),
        "EstimateFeesRequest": closed(
            fields(
                {
                    "trigger": ref("Trigger"),
                    "nodes": several(ref("Node"), minItems=1),
                    "createdAt": told(COUNT, "Has no influence yet."),
                    "expireAt": told(COUNT, "Has no influence yet."),
                    "maxExecution": told(COUNT, "Has no influence yet."),
                },
                {
                    "edges": several(ref("Edge")),
                    "runner": ADDRESS,
                    "chainId": _CHAIN,
                    "inputVariables": _VARIABLES,
                },
            )
        ),
        "EstimateFeesResponse": fields(
            {
                "chainId": INT64,
                "executionFee": ref("Fee"),
                "cogs": several(ref("NodeCOGS")),
                "valueFee": ref("ValueFee"),
            },
            {
                "nativeToken": fields({"symbol": TEXT, "decimals": COUNT}),
                "discounts": several(ANY),
                "pricingModel": TEXT,
            },
        ),
        "Fee": fields({"amount": _AMOUNT, "unit": words(("USD", "WEI", "PERCENTAGE"))}),
        "NodeCOGS": fields(
            {
                "nodeId": TEXT,
                "costType": words(("gas", "externalApi", "walletCreation")),
                "fee": ref("Fee"),
            },
            {"gasUnits": TEXT},
        ),
        "ValueFee": fields(
            {"fee": ref("Fee"), "tier": words(("unspecified", "tier1", "tier2", "tier3"))},
            {
                "valueBase": TEXT,
                "classificationMethod": words(("ruleBased", "llm")),
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                "reason": TEXT,
            },
        ),
    },
)
