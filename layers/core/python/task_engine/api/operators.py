"""Routes of operators."""

from __future__ import annotations

from task_engine.api.access import Access
from task_engine.api.application import Application, Gate
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.api.times import rfc3339
from task_engine.errors import Forbidden, InvalidRequest, Problem
from task_engine.model.json_value import JsonValue
from task_engine.model.operator import Operator
from task_engine.model.shard import WHOLE, read_shard
from task_engine.operator.check_codec import page_to_json
from task_engine.services.operators import OperatorService

_MOST_CHAINS = 100
_MOST_VERSION_CHARS = 100
DEFAULT_CHECKS = 200
MOST_CHECKS = 500
_SHARD_FORM = "must be of the form 2/3: the second of three parts"


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
        "rejectedCount": operator.rejected,
        "disputedCount": operator.disputed,
    }
    if operator.shard != WHOLE:
        found["shard"] = str(operator.shard)
    if operator.version:
        found["version"] = operator.version
    if operator.blocks:
        found["blockNumber"] = max(operator.blocks.values())
        found["blocks"] = {str(chain): operator.blocks[chain] for chain in operator.chains}
    return found


class OperatorRoutes:
    """Endpoints over the use cases."""

    def __init__(self, operators: OperatorService) -> None:
        self._operators = operators

    def list(self, _: Request) -> Reply:
        """GET /operators"""
        rows = self._operators.list_operators()
        return Reply(200, {"data": [operator_json(each) for each in rows]})

    def heartbeat(self, request: Request) -> Reply:
        """POST /operators/{address}:heartbeat"""
        address = _own(request)
        fields = Fields(json_object(request.body))
        version, given = fields.text("version"), fields.mapping("chains")
        if len(version) > _MOST_VERSION_CHARS:
            fields.refuse("version", f"may have {_MOST_VERSION_CHARS} characters at most")
        if len(given) > _MOST_CHAINS:
            fields.refuse("chains", f"may name {_MOST_CHAINS} chains at most")
        shard = read_shard(fields.text("shard") or str(WHOLE))
        if shard is None:
            fields.refuse("shard", _SHARD_FORM)
        blocks = {_number(chain): block for chain, block in given.items()}
        for chain, block in blocks.items():
            if chain <= 0 or type(block) is not int or not 0 <= block < 2**53:
                text = "must be the last block that was passed, by the id of its chain"
                fields.refuse("chains", text)
        fields.finish()
        numbers = {chain: block for chain, block in blocks.items() if isinstance(block, int)}
        operator = self._operators.heartbeat(address, version, numbers, shard or WHOLE)
        return Reply(200, operator_json(operator))

    def checks(self, request: Request) -> Reply:
        """GET /operators/{address}/checks"""
        _own(request)
        chain_id = _number(request.one("chainId"))
        limit = _number(request.one("limit") or str(DEFAULT_CHECKS))
        problems = []
        if chain_id <= 0:
            problems.append(Problem("INVALID_REQUEST", "chainId", "must be the id of a chain"))
        if not 0 < limit <= MOST_CHECKS:
            text = f"must be a whole number from 1 to {MOST_CHECKS}"
            problems.append(Problem("INVALID_REQUEST", "limit", text))
        shard = read_shard(request.one("shard") or str(WHOLE))
        if shard is None:
            problems.append(Problem("INVALID_REQUEST", "shard", _SHARD_FORM))
        if problems:
            raise InvalidRequest("the checks can't be read", tuple(problems))
        page = self._operators.checks(chain_id, request.one("after"), limit, shard or WHOLE)
        return Reply(200, page_to_json(page))

    def notices(self, request: Request) -> Reply:
        """POST /operators/notices"""
        fields = Fields(json_object(request.body))
        given = fields.anything("notices")
        if not isinstance(given, list):
            fields.refuse("notices", "must be a list of notices")
        fields.finish()
        documents = given if isinstance(given, list) else []
        ids = self._operators.accept(request.principal.operator, documents)
        results: list[JsonValue] = [{"id": each, "status": "queued"} for each in ids]
        return Reply(202, {"accepted": len(ids), "results": results})


def _own(request: Request) -> str:
    """The operator's own address in the path."""
    operator = request.principal.operator
    if request.path["address"].lower() != operator.lower():
        raise Forbidden("this is another operator's", code="OPERATOR_NOT_ALLOWED")
    return operator


def _number(text: str) -> int:
    """A whole number of up to 15 digits, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def build_app(gate: Gate, operators: OperatorService) -> Application:
    """All routes below /operators."""
    on = OperatorRoutes(operators)
    app = Application(gate)
    app.add("GET", "/operators", on.list, access=Access.PUBLIC)
    app.add("POST", "/operators/notices", on.notices, access=Access.OPERATOR)
    app.add("POST", "/operators/<address>:heartbeat", on.heartbeat, access=Access.OPERATOR)
    app.add("GET", "/operators/<address>/checks", on.checks, access=Access.OPERATOR)
    return app
