"""Operators."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
    CHAIN_ID,
    COUNT,
    FLAG,
    TEXT,
    fields,
    ref,
    several,
    told,
)

_TIME = {"type": "string", "format": "date-time"}

OPERATORS = Resource(
    tag="Operators",
    description="Processes that watch chains for block and event triggers.",
    operations={
        "GET /operators": Operation(
            "listOperators",
            "All operators that registered",
            {200: Success("By address.", ref("Operators"))},
            event="operators_list",
        ),
    },
    schemas={
        "Operators": fields({"data": several(ref("Operator"))}),
        "Operator": fields(
            {
                "address": ADDRESS,
                "supportedChainIds": told(several(CHAIN_ID), "Empty = unknown."),
            },
            {
                "capabilities": fields(
                    {
                        "eventMonitoring": FLAG,
                        "blockMonitoring": FLAG,
                        "timeMonitoring": FLAG,
                    }
                ),
                "version": TEXT,
                "lastSeen": _TIME,
                "blockNumber": told(COUNT, "The highest block that it has passed."),
                "eventCount": told(COUNT, "Notices that it has sent."),
            },
        ),
    },
)
