"""Routes of operators."""

from __future__ import annotations

from task_engine.api.access import Access
from task_engine.api.application import Application, Gate
from task_engine.api.http import Reply, Request
from task_engine.api.times import rfc3339
from task_engine.model.json_value import JsonValue
from task_engine.model.operator import Operator
from task_engine.services.operators import OperatorService


def operator_json(operator: Operator) -> dict[str, JsonValue]:
    """An OperatorInfo; operators watch chains, clocks are watched by EventBridge Scheduler."""
    watches = bool(operator.blocks)
    found: dict[str, JsonValue] = {
        "address": operator.address,
        "supportedChainIds": list(operator.chains),
        "capabilities": {
            "eventMonitoring": watches,
            "blockMonitoring": watches,
            "timeMonitoring": False,
        },
        "lastSeen": rfc3339(operator.last_seen),
        "eventCount": operator.events,
    }
    if operator.version:
        found["version"] = operator.version
    if operator.blocks:
        found["blockNumber"] = max(operator.blocks.values())
    return found


def build_app(gate: Gate, operators: OperatorService) -> Application:
    """All routes below /operators."""

    def list_operators(_: Request) -> Reply:
        return Reply(200, {"data": [operator_json(each) for each in operators.list_operators()]})

    app = Application(gate)
    app.add("GET", "/operators", list_operators, access=Access.PUBLIC)
    return app
