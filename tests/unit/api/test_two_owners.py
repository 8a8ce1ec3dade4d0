"""Nothing of one owner is visible to, countable by, or changed by another: every route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from task_engine.api.access import Access
from task_engine.api.openapi.routes import all_routes
from task_engine.ids import new_id
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.grant import Grant, GrantStatus
from task_engine.model.operation import Operation
from task_engine.model.secret import SecretScope
from task_engine.model.trigger import TriggerRecord, TriggerType

from tests.unit.api.world import CHAIN, OTHER, OWNER, World

MARK = "only-the-owner-knows"
RUN = {"triggerType": "manual", "triggerOutput": {"data": {}}}
POLICY = {
    "chainId": CHAIN,
    "agentLabel": "theirs",
    "allowedActions": [{"target": str(OTHER), "selectors": ["0xa9059cbb"]}],
    "erc20SpendCap": {"token": str(OTHER), "amount": "1"},
}
CODE = {"type": "customCode", "config": {"lang": "javascript", "source": f"return '{MARK}'"}}
READS_SECRET = {
    "type": "customCode",
    "config": {"lang": "javascript", "source": "return apContext.configVars.KEPT"},
}


@dataclass(frozen=True)
class Ask:
    """What the stranger sends, with the owner's ids filled in, and the status that it gets.

    `empty` is the document of somebody who has nothing, None where there is no document to show.
    """

    status: int
    body: Any = None
    query: str = ""
    empty: dict[str, Any] | None = field(default=None)


_OF_TASK = "?workflowId={task}"
_NOBODY = {"total": 0, "succeeded": 0, "failed": 0, "pending": 0, "waiting": 0}
_PAGE = {"hasNextPage": False, "hasPreviousPage": False}
ASKS: dict[str, Ask] = {
    "GET /workflows": Ask(200, empty={"data": [], "pageInfo": _PAGE}),
    "POST /workflows": Ask(
        400,
        {
            "trigger": {"name": "t", "type": "manual", "config": {"lang": "json"}},
            "nodes": [{"id": "n", "name": "n", **CODE}],
            "edges": [{"id": "e", "source": "t", "target": "n"}],
            "inputVariables": {"settings": {"runner": "{wallet}"}},
        },
    ),
    "GET /workflows:count": Ask(200, empty={"total": 0}),
    "GET /workflows/{id}": Ask(404),
    "DELETE /workflows/{id}": Ask(204),
    "POST /workflows/{id}:pause": Ask(404),
    "POST /workflows/{id}:resume": Ask(404),
    "POST /workflows/{id}:trigger": Ask(404, RUN),
    "GET /workflows/{id}/executions": Ask(404),
    "POST /workflows:simulate": Ask(
        200,
        {
            "trigger": {"name": "t", "type": "manual", "config": {"lang": "json", "data": 1}},
            "nodes": [{"id": "n", "name": "n", **READS_SECRET}],
            "inputVariables": {"settings": {"runner": "{wallet}"}},
        },
    ),
    "POST /workflows:estimateFees": Ask(
        200, {"trigger": {"type": "manual"}, "nodes": [{"id": "n", **CODE}]}
    ),
    "POST /nodes:run": Ask(200, {"node": READS_SECRET}),
    "POST /triggers:run": Ask(
        200, {"trigger": {"type": "manual", "config": {"lang": "json", "data": 1}}}
    ),
    "GET /executions": Ask(404, query=_OF_TASK),
    "GET /executions:count": Ask(200, query=_OF_TASK, empty={"total": 0}),
    "GET /executions:stats": Ask(200, query=_OF_TASK, empty={**_NOBODY, "avgExecutionTime": 0}),
    "GET /executions/{id}": Ask(404, query=_OF_TASK),
    "GET /executions/{id}:getStatus": Ask(404, query=_OF_TASK),
    "GET /executions/{id}:stream": Ask(404, query=_OF_TASK),
    "POST /executions/{id}:rerun": Ask(404, query=_OF_TASK),
    "POST /executions/{id}:resume": Ask(404, query=_OF_TASK),
    "POST /executions/{id}:signal": Ask(404, {"decision": "approve"}, _OF_TASK),
    "GET /secrets": Ask(200, query=_OF_TASK, empty={"data": [], "pageInfo": _PAGE}),
    "PUT /secrets/{name}": Ask(404, {"value": "theirs", "workflowId": "{task}"}),
    "DELETE /secrets/{name}": Ask(204, query=_OF_TASK),
    "GET /wallets": Ask(200),
    "POST /wallets": Ask(201, {"salt": "3"}),
    "PATCH /wallets/{address}": Ask(404, {"isHidden": True}),
    "GET /wallets/{address}:getNonce": Ask(404),
    "POST /wallets/{address}:withdraw": Ask(
        404, {"recipientAddress": "{wallet}", "amount": "max", "token": "ETH"}
    ),
    "POST /wallets/{address}/policies:prepare": Ask(404, {**POLICY, "expiresInSeconds": 60}),
    "POST /wallets/{address}/policies:submit": Ask(
        404,
        {
            **POLICY,
            "policyId": "0x" + "01" * 32,
            "entityId": 9,
            "deadline": 1767225700,
            "validUntil": 1767312000000,
            "signature": "0x" + "11" * 65,
        },
    ),
    "GET /wallets/{address}/policies": Ask(404),
    "GET /wallets/{address}/policies/{policyId}": Ask(404),
    "DELETE /wallets/{address}/policies/{policyId}": Ask(404),
    "GET /userops/{userOpHash}": Ask(404),
    # For partners alone: a token opens nothing.
    "GET /tokens/{address}": Ask(401),
}
# They know no callers.
PUBLIC = {
    "GET /health", "POST /auth:exchange", "GET /openapi.json", "GET /docs", "GET /operators",
}  # fmt: skip


# An operator's key opens them, no token does.
OPERATORS = {
    "POST /operators/{address}:heartbeat",
    "GET /operators/{address}/checks",
    "POST /operators/notices",
}


def test_every_route_is_in_the_table() -> None:
    routes = {f"{route.method} {route.path}" for route in all_routes()}
    public = {f"{route.method} {route.path}" for route in all_routes() if route.public}
    signed = {
        f"{route.method} {route.path}" for route in all_routes() if route.access is Access.OPERATOR
    }
    assert routes == ASKS.keys() | PUBLIC | OPERATORS
    assert public == PUBLIC
    assert signed == OPERATORS


@pytest.mark.parametrize("route", sorted(OPERATORS))
def test_a_token_opens_no_route_of_operators(world: World, route: str) -> None:
    method, _, path = route.partition(" ")
    answer = world.call(method, path.replace("{address}", OWNER), {} if method == "POST" else None)
    assert (answer.status, answer.json["code"]) == (401, "OPERATOR_SIGNATURE_REQUIRED")


class Owned:
    """Everything that an owner can have, and how it looks from inside."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.task = world.store_task()
        now = world.clock.ms
        self.execution = Execution(
            id=new_id(now),
            task_id=self.task.id,
            owner=OWNER,
            index=0,
            status=ExecutionStatus.PENDING,
            trigger=TriggerRecord(TriggerType.MANUAL, {"mark": MARK}),
            context=RunContext("Enabled", 1, now, 0),
            start_at=now,
        )
        world.records.rows[self.task.id, self.execution.id] = self.execution
        world.own_secrets.of[OWNER, "KEPT"] = MARK
        for scope, task_id in ((SecretScope.USER, ""), (SecretScope.WORKFLOW, self.task.id)):
            world.secret_rows.put(OWNER, scope, task_id, "KEPT", MARK, now)

        self.grant = Grant(
            id="0x" + "ab" * 32,
            owner=OWNER,
            wallet=self.task.wallet,
            chain_id=CHAIN,
            entity_id=1,
            signer=OTHER,
            valid_after=0,
            valid_until=now,
            permissions=(),
            agent_label=MARK,
            status=GrantStatus.ACTIVE,
        )
        world.grants.rows.append(self.grant)
        self.operation = Operation(
            MARK, OWNER, CHAIN, self.task.wallet, "0x" + "cd" * 32, {}, (), now
        )
        world.operations.create(self.operation)
        world.vaults.held[self.task.wallet, ""] = 10**18

    def filled(self, text: str) -> str:
        ids = {"{task}": self.task.id, "{wallet}": self.task.wallet, "{name}": "KEPT"}
        ids["{address}"] = self.task.wallet
        ids["{policyId}"] = self.grant.id
        ids["{userOpHash}"] = self.operation.hash
        ids["{id}"] = self.execution.id if "/executions/" in text else self.task.id
        for place, value in ids.items():
            text = text.replace(place, value)
        return text

    def filled_body(self, body: Any) -> Any:
        if isinstance(body, dict):
            return {key: self.filled_body(value) for key, value in body.items()}
        if isinstance(body, list):
            return [self.filled_body(value) for value in body]
        return self.filled(body) if isinstance(body, str) else body

    def seen(self) -> list[str]:
        """All that the owner sees."""
        of_task = f"?workflowId={self.task.id}"
        paths = (
            "/workflows", "/workflows:count", f"/workflows/{self.task.id}", "/secrets", "/wallets",
            f"/wallets/{self.task.wallet}/policies", f"/userops/{self.operation.hash}",
            f"/executions/{self.execution.id}{of_task}", "/executions:count", "/executions:stats",
        )  # fmt: skip
        return [self._world.call("GET", path).text for path in paths]


@pytest.mark.parametrize("route", ASKS)
def test_a_stranger_sees_and_changes_nothing(world: World, route: str) -> None:
    # Given an owner who has something of everything
    owned = Owned(world)
    before = owned.seen()
    # When a stranger sends the route's request with the owner's ids
    ask = ASKS[route]
    method, _, path = route.partition(" ")
    body = owned.filled_body(ask.body)
    answer = world.call(method, owned.filled(path) + owned.filled(ask.query), body, owner=OTHER)
    # Then the answer is that of somebody who has nothing
    assert answer.status == ask.status, answer.text
    assert MARK not in answer.text
    if ask.status < 400 and not route.endswith(":simulate"):
        assert owned.task.wallet not in answer.text
    if ask.empty is not None:
        assert answer.json == ask.empty
    # And for the owner nothing has changed
    assert owned.seen() == before
