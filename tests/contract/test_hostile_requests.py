"""Requests that nobody should send: answered as a problem that says so, and nothing has changed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from infra_cdk.local.client import Answer, ApiClient
from tests.e2e.engine import one_node

pytestmark = pytest.mark.deployed

LONG = "x" * 3000
DIGITS = "9" * 5000
# {T} and {X} stand for a workflow and an execution of the caller, {W} for their wallet.
REFUSED = [
    # No key of a table may be as long as a path or a query may.
    ("GET", f"/workflows/{LONG}", 404, "WORKFLOW_NOT_FOUND"),
    ("POST", f"/workflows/{LONG}:pause", 404, "WORKFLOW_NOT_FOUND"),
    ("GET", f"/workflows/{LONG}/executions", 404, "WORKFLOW_NOT_FOUND"),
    ("GET", f"/executions?workflowId={LONG}", 404, "WORKFLOW_NOT_FOUND"),
    ("GET", f"/executions/{{X}}?workflowId={LONG}", 404, "EXECUTION_NOT_FOUND"),
    ("GET", f"/executions/{LONG}?workflowId={{T}}", 404, "EXECUTION_NOT_FOUND"),
    ("GET", f"/executions/{LONG}:getStatus?workflowId={{T}}", 404, "EXECUTION_NOT_FOUND"),
    ("GET", f"/executions/{LONG}:stream?workflowId={{T}}", 404, "EXECUTION_NOT_FOUND"),
    ("POST", f"/executions/{LONG}:rerun?workflowId={{T}}", 404, "EXECUTION_NOT_FOUND"),
    ("POST", f"/executions/{{X}}:resume?workflowId={LONG}", 404, "EXECUTION_NOT_FOUND"),
    ("GET", f"/userops/{LONG}", 404, "USEROP_NOT_FOUND"),
    # Numbers that are none, and those that no number is made of.
    ("GET", f"/wallets?chainId={DIGITS}", 400, "WALLETS_BAD_CHAIN_ID"),
    ("GET", f"/wallets/{{W}}:getNonce?chainId={DIGITS}", 400, "WALLETS_BAD_CHAIN_ID"),
    ("GET", f"/wallets/{{W}}/policies?chainId={DIGITS}", 400, "POLICIES_BAD_CHAIN_ID"),
    *(
        ("GET", f"{path}limit={quote(limit)}", 400, "INVALID_REQUEST")
        for path in ("/workflows?", "/executions?workflowId={T}&", "/secrets?")
        for limit in ("-1", "+5", "1_0", " 5", "\u0663", "1e3", "1.5", "0x10", DIGITS)
    ),
    ("GET", "/executions/{X}:stream?workflowId={T}&interval=-1s", 400, "INVALID_REQUEST"),
    ("GET", "/executions/{X}:stream?workflowId={T}&interval=soon", 400, "INVALID_REQUEST"),
]
FINE = [
    ("GET", f"/secrets?workflowId={LONG}", 200),
    ("DELETE", f"/secrets/{LONG}", 204),
    ("DELETE", f"/secrets/there?workflowId={LONG}", 204),
    ("DELETE", f"/workflows/{LONG}", 204),
    ("GET", f"/executions:count?workflowId={LONG}", 200),
    ("GET", f"/workflows?limit={'9' * 30}", 200),
    *(
        ("GET", f"/executions/{{X}}:stream?workflowId={{T}}&interval={interval}", 200)
        for interval in ("0", "1m30s", "1h", "100us", "5ns", ".5s", "1.s", quote("3\u00b5s"))
    ),
]


@pytest.fixture
def places(api: ApiClient) -> dict[str, str]:
    """What the braces in a path stand for."""
    task = api.create_task(one_node())["id"]
    run = api.trigger(task, blocking=True)["executionId"]
    api.put_secret("there", "value")
    return {"{T}": task, "{X}": run, "{W}": api.wallet}


def filled(path: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        path = path.replace(name, value)
    return path


def problem_of(answer: Answer) -> dict[str, Any]:
    """The problem document, which says the same as the headers."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == answer.status
    assert answer.body["instance"] == answer.headers["X-Request-Id"]
    return dict(answer.body)


def test_what_is_wrong_is_refused_with_a_code(api: ApiClient, places: dict[str, str]) -> None:
    told = []
    for method, path, status, code in REFUSED:
        answer = api.request(method, filled(path, places))
        if (answer.status, problem_of(answer)["code"]) != (status, code):
            told.append((method, path[:60], answer.status, answer.body["code"]))
    assert told == []


def test_what_is_odd_and_harmless_is_answered(api: ApiClient, places: dict[str, str]) -> None:
    told = []
    for method, path, status in FINE:
        answer = api.request(method, filled(path, places))
        if answer.status != status:
            told.append((method, path[:60], answer.status, answer.body))
    assert told == []
    assert [row["name"] for row in api.get("/secrets")["data"]] == ["there"]


def test_a_secret_of_no_workflow_is_refused(api: ApiClient) -> None:
    answer = api.request("PUT", "/secrets/mine", {"value": "v", "workflowId": LONG})
    assert (answer.status, problem_of(answer)["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert api.get("/secrets")["data"] == []


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400 + ".5"])
def test_a_number_that_no_double_holds_is_no_json_here(
    api: ApiClient, places: dict[str, str], number: str
) -> None:
    # It would be answered as Infinity, which no client can read.
    trigger = f'{{"triggerType": "manual", "triggerOutput": {{"n": {number}}}}}'.encode()
    ran = f'{{"trigger": {{"type": "manual", "config": {{"data": {number}}}}}}}'.encode()
    for path, body in ((f"/workflows/{places['{T}']}:trigger", trigger), ("/triggers:run", ran)):
        answer = api.request("POST", path, body)
        assert (answer.status, problem_of(answer)["code"]) == (400, "INVALID_REQUEST")
    assert api.get("/executions:count", workflowId=places["{T}"])["total"] == 1
