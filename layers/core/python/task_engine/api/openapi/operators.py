"""Operators."""

from __future__ import annotations

from task_engine.api.openapi.operation import Operation, Parameter, Resource, Success
from task_engine.api.openapi.shapes import (
    ADDRESS,
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
)

_SHARD = {"type": "string", "pattern": "^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$"}
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
        "POST /operators/{address}:heartbeat": Operation(
            "operatorHeartbeat",
            "Say that you watch; the first time registers you",
            {200: Success("As others see it.", ref("Operator"))},
            description="Signed by the operator. Who was silent for three minutes counts as away.",
            path={"address": ADDRESS},
            body="Heartbeat",
            errors=(400, 403),
            event="operators_heartbeat",
        ),
        "GET /operators/{address}/checks": Operation(
            "listChecks",
            "What to watch on a chain: everything once, then what changed",
            {200: Success("One page; a change may come more than once.", ref("CheckPage"))},
            description="Signed by the operator.",
            path={"address": ADDRESS},
            parameters=(
                Parameter("chainId", CHAIN_ID, "The chain.", required=True),
                Parameter("after", TEXT, "The cursor of the last page; without it, everything."),
                Parameter(
                    "limit", {"type": "integer", "minimum": 1, "maximum": 500}, "200 by default."
                ),
                Parameter("shard", _SHARD, "Only the checks of this part, e.g. 2/3."),
            ),
            errors=(400, 403),
            event="operators_checks",
        ),
        "POST /operators/notices": Operation(
            "sendNotices",
            "Tell what was found",
            {202: Success("In the queue; nothing has run yet.", ref("NoticesAccepted"))},
            description="Signed by the operator, and so is each notice. For operators that may "
            "not send to the notice queue themselves.",
            body="Notices",
            errors=(400, 403),
            event="operators_notices",
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
                "shard": told(_SHARD, "The part of the checks that it watches; absent = all."),
                "lastSeen": _TIME,
                "blockNumber": told(COUNT, "The highest block that it has passed."),
                "eventCount": told(COUNT, "Notices that it has sent."),
                "rejectedCount": told(COUNT, "Of those refused, or overruled by a quorum."),
                "disputedCount": told(COUNT, "Of those that another operator contradicted."),
                "blocks": told(
                    {"type": "object", "additionalProperties": COUNT},
                    "The last block that it has passed, by chain.",
                ),
            },
        ),
        "Heartbeat": closed(
            fields(
                {},
                {
                    "version": {"type": "string", "maxLength": 100},
                    "shard": told(_SHARD, "The part of the checks that is watched; absent = all."),
                    "chains": told(
                        {
                            "type": "object",
                            "additionalProperties": COUNT,
                            "propertyNames": {"pattern": "^[1-9][0-9]{0,14}$"},
                            "maxProperties": 100,
                        },
                        "The last block that was passed, by the id of each chain that is watched.",
                    ),
                },
            )
        ),
        "CheckPage": fields(
            {
                "data": told(several(ref("Check")), "New and changed checks, whole."),
                "removed": told(several(TEXT), "Ids that are to be watched no longer."),
                "cursor": told(TEXT, "What to send as `after` next time."),
                "full": told(FLAG, "This page begins the whole set anew: forget what you have."),
                "more": told(FLAG, "Another page is there already."),
            }
        ),
        "Check": fields(
            {
                "kind": {"type": "string", "enum": ["block", "event"]},
                "id": TEXT,
                "owner": ADDRESS,
                "chainId": CHAIN_ID,
                "version": told(INT64, "To be given back in notices."),
                "sinceMs": told(INT64, "Blocks from before that are none of its business."),
                "startAt": INT64,
                "expiredAt": INT64,
            },
            {
                "interval": COUNT,
                "wallet": TEXT,
                "cooldownSeconds": COUNT,
                "queries": several(OBJECT),
            },
        ),
        "Notices": closed(
            fields(
                {
                    "notices": {
                        "type": "array",
                        "items": told(OBJECT, "A signed CloudEvent, see docs/operators.md."),
                        "minItems": 1,
                        "maxItems": 10,
                    }
                }
            )
        ),
        "NoticesAccepted": fields(
            {
                "accepted": COUNT,
                "results": several(
                    fields({"id": TEXT, "status": {"type": "string", "enum": ["queued"]}})
                ),
            }
        ),
    },
)
