"""Every route once, and the AWS calls that it may take when the function is warm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from eth_account.signers.local import LocalAccount
from task_engine.ids import new_id
from task_engine.model.execution import ExecutionStatus
from task_engine.run.ports import Run

from infra_cdk.local.login import login_message, sign
from tests.integration.api_functions import ApiFunctions

RUN = {"triggerType": "manual"}
NODE = {
    "id": "a",
    "name": "a",
    "type": "customCode",
    "config": {"lang": "javascript", "source": "return start.data.n + 1"},
}
TRIGGER = {
    "id": "t",
    "name": "start",
    "type": "manual",
    "config": {"lang": "json", "data": {"n": 1}},
}
PAGE = 200
# They ask a chain or its watchers, which these tests do not have.
OF_CHAINS = {
    "GET /operators",
    "GET /operators/{address}/checks",
    "POST /operators/notices",
    "POST /operators/{address}:heartbeat",
    "GET /tokens/{address}",
    "GET /userops/{userOpHash}",
    "GET /wallets/{address}:getNonce",
    "POST /wallets/{address}:withdraw",
    "POST /wallets/{address}/policies:prepare",
    "POST /wallets/{address}/policies:submit",
    "GET /wallets/{address}/policies",
    "GET /wallets/{address}/policies/{policyId}",
    "DELETE /wallets/{address}/policies/{policyId}",
}


@dataclass(frozen=True)
class Ids:
    """What an owner has: a wallet, a task and a finished execution of it."""

    wallet: str
    task: str
    execution: str


@dataclass(frozen=True)
class Ask:
    """A request of a route, what it answers, and its AWS calls in order; `note` tells two requests
    of one route apart. `once` asks can't be repeated with the same outcome."""

    route: str
    path: str
    calls: tuple[str, ...]
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    once: bool = False

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]


def definition(wallet: str) -> dict[str, Any]:
    """A create request."""
    return {
        "name": "counted",
        "smartWalletAddress": wallet,
        "trigger": TRIGGER,
        "nodes": [NODE],
        "edges": [{"id": "e", "source": "t", "target": "a"}],
        "inputVariables": {"settings": {"runner": wallet}},
    }


def prepared(api: ApiFunctions) -> Ids:
    """A new owner's task and execution; every function is warm afterwards."""
    wallet = api.send("GET", "/wallets").body["data"][0]["address"]
    task = api.send("POST", "/workflows", definition(wallet)).body["id"]
    execution = triggered(api, task)
    for path in ("/secrets", f"/executions/{execution}?workflowId={task}", "/health"):
        api.send("GET", path)
    api.send("POST", "/nodes:run", {"node": {**NODE, "config": {"source": "return 1"}}})
    return Ids(wallet, task, execution)


def triggered(api: ApiFunctions, task: str) -> str:
    """A run that has ended, as if a walk had been there."""
    started = api.send("POST", f"/workflows/{task}:trigger", RUN)
    assert started.status == 202, started
    stores = import_module("task_engine.bootstrap.stores")
    run = Run(started.body["executionId"], task, api.owner, 1, "walk")
    stores.executions().finish(run, ExecutionStatus.SUCCESS, "", (), 1)
    return run.execution_id


def asks(ids: Ids) -> list[Ask]:
    """Every route but the log-in, what changes things last."""
    reads = [*_task_reads(ids), *_execution_reads(ids), *_one_shots(ids)]
    return [*reads, *_others(ids), *_task_writes(ids)]


def _task_writes(ids: Ids) -> list[Ask]:
    return [
        Ask("POST /workflows", "/workflows", ("TransactWriteItems",), 201, definition(ids.wallet)),
        Ask(
            "POST /workflows",
            "/workflows",
            ("UpdateItem", "TransactWriteItems", "UpdateItem"),
            201,
            definition(ids.wallet),
            {"Idempotency-Key": new_id()},
            "new key",
            once=True,
        ),
        Ask(
            "POST /workflows/{id}:trigger",
            f"/workflows/{ids.task}:trigger",
            ("GetItem", "TransactWriteItems", "SendMessage"),
            202,
            RUN,
            note="non-blocking",
        ),
        Ask(
            "POST /executions/{id}:rerun",
            f"/executions/{ids.execution}:rerun?workflowId={ids.task}",
            ("GetItem", "GetItem", "TransactWriteItems", "SendMessage"),
            202,
        ),
        Ask(
            "POST /workflows/{id}:pause",
            f"/workflows/{ids.task}:pause",
            ("GetItem", "TransactWriteItems"),
            once=True,
        ),
        Ask(
            "POST /workflows/{id}:resume",
            f"/workflows/{ids.task}:resume",
            ("GetItem", "GetItem", "TransactWriteItems"),
            once=True,
        ),
        Ask(
            "DELETE /workflows/{id}",
            f"/workflows/{ids.task}",
            ("GetItem", "Query", "Query", "GetItem", "Query", "TransactWriteItems"),
            204,
            once=True,
        ),
    ]


def log_in(account: LocalAccount) -> Ask:
    """POST /auth:exchange by this account."""
    address = account.address
    message = login_message(address, "http://a.test", now=datetime.now(UTC))
    body = {"ownerAddress": address, "message": message, "signature": sign(account, message)}
    calls = ("UpdateItem", "GenerateMac")
    return Ask("POST /auth:exchange", "/auth:exchange", calls, body=body, once=True)


def _task_reads(ids: Ids) -> list[Ask]:
    of_wallet = f"?smartWalletAddress={ids.wallet}&status=enabled"
    return [
        Ask("GET /workflows/{id}", f"/workflows/{ids.task}", ("GetItem",)),
        Ask("GET /workflows", f"/workflows?limit={PAGE}", ("Query",), note=f"page of {PAGE}"),
        Ask("GET /workflows", "/workflows", ("Query",), note="first page"),
        Ask("GET /workflows", f"/workflows{of_wallet}", ("Query",), note="filtered"),
        Ask("GET /workflows:count", "/workflows:count", ("Query",)),
        Ask(
            "GET /workflows/{id}/executions",
            f"/workflows/{ids.task}/executions?limit={PAGE}",
            ("GetItem", "Query"),
            note=f"page of {PAGE}",
        ),
    ]


def _execution_reads(ids: Ids) -> list[Ask]:
    of_task = f"?workflowId={ids.task}"
    path = f"/executions/{ids.execution}"
    return [
        Ask("GET /executions/{id}", path + of_task, ("GetItem", "Query")),
        Ask("GET /executions/{id}:getStatus", f"{path}:getStatus{of_task}", ("GetItem",)),
        Ask("GET /executions/{id}:stream", f"{path}:stream{of_task}", ("GetItem",), note="ended"),
        Ask(
            "GET /executions",
            f"/executions{of_task}&limit={PAGE}",
            ("GetItem", "Query"),
            note=f"page of {PAGE}",
        ),
        Ask("GET /executions:count", f"/executions:count{of_task}", ("BatchGetItem",)),
        Ask("GET /executions:stats", f"/executions:stats{of_task}", ("Query",)),
        Ask(
            "POST /executions/{id}:resume",
            f"{path}:resume{of_task}",
            ("GetItem",),
            409,
            note="has ended",
        ),
        Ask(
            "POST /executions/{id}:signal",
            f"{path}:signal{of_task}",
            ("GetItem", "Query"),
            400,
            {"decision": "approve"},
            note="has ended",
        ),
    ]


def _one_shots(ids: Ids) -> list[Ask]:
    body = definition(ids.wallet)
    graph = {name: body[name] for name in ("trigger", "nodes", "edges")}
    node = {"node": NODE, "inputVariables": {"start": {"data": {"n": 1}}}}
    ignored = {"createdAt": 0, "expireAt": 0, "maxExecution": 0}
    return [
        Ask("POST /nodes:run", "/nodes:run", (), body=node),
        Ask(
            "POST /nodes:run",
            "/nodes:run",
            ("UpdateItem", "UpdateItem"),
            body=node,
            headers={"Idempotency-Key": new_id()},
            note="new key",
            once=True,
        ),
        Ask("POST /triggers:run", "/triggers:run", (), body={"trigger": TRIGGER}),
        Ask(
            "POST /workflows:simulate",
            "/workflows:simulate",
            (),
            body={**graph, "inputVariables": body["inputVariables"]},
        ),
        Ask(
            "POST /workflows:estimateFees",
            "/workflows:estimateFees",
            (),
            body={**graph, **ignored},
        ),
    ]


def _others(ids: Ids) -> list[Ask]:
    one_count_each = ("Query",) * 5
    return [
        Ask("GET /secrets", f"/secrets?limit={PAGE}", ("Query",), note=f"page of {PAGE}"),
        Ask("PUT /secrets/{name}", "/secrets/S0", ("Encrypt", "UpdateItem"), 204, {"value": "v"}),
        Ask("DELETE /secrets/{name}", "/secrets/S0", ("DeleteItem",), 204, once=True),
        Ask("GET /wallets", "/wallets", ("Query",)),
        Ask(
            "POST /wallets",
            "/wallets",
            ("GetItem", *one_count_each),
            body={"salt": "0"},
            note="that is there",
        ),
        Ask(
            "PATCH /wallets/{address}",
            f"/wallets/{ids.wallet}",
            ("GetItem", *one_count_each),
            body={"isHidden": False},
            note="no change",
        ),
        Ask("GET /health", "/health", ()),
        Ask("GET /openapi.json", "/openapi.json", ()),
        Ask("GET /docs", "/docs", ()),
    ]
