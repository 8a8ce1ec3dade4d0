"""How many AWS calls each route takes, on the wiring that is deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eth_account import Account
from task_engine.api.openapi.routes import all_routes

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.settings import REGION
from tests.integration.api_functions import ApiFunctions, api_functions
from tests.integration.api_routes import (
    OF_CHAINS,
    PAGE,
    Ids,
    asks,
    definition,
    log_in,
    prepared,
    triggered,
)

NOBODY = Ids("0x", "t", "e")
LABELS = [f"{ask.route} {ask.note}".rstrip() for ask in asks(NOBODY)]


@pytest.fixture(scope="module")
def functions(aws: LocalAws, names: dict[str, str]) -> Iterator[ApiFunctions]:
    """Functions with a queue of their own, so that no other test meets their messages."""
    queue = aws.client("sqs").create_queue(QueueName="counted")["QueueUrl"]
    given = {**names, "EXECUTION_QUEUE_URL": queue}
    given |= {"RATE_LIMIT_PER_SECOND": "100000", "RATE_LIMIT_BURST": "100000"}
    environment = {f"TASK_ENGINE_{name}": value for name, value in given.items()}
    with api_functions({**environment, "AWS_REGION": REGION}, Account.create().address) as api:
        yield api


@pytest.fixture(scope="module")
def ids(functions: ApiFunctions) -> Ids:
    """An owner with a full page of everything."""
    known = prepared(functions)
    for number in range(1, PAGE):
        functions.send("POST", "/workflows", definition(known.wallet))
        functions.send("PUT", f"/secrets/S{number}", {"value": "v"})
        functions.send("POST", f"/workflows/{known.task}:trigger", {"triggerType": "manual"})
    functions.send("PUT", "/secrets/S0", {"value": "v"})
    return known


def test_every_route_is_counted() -> None:
    routes = {f"{route.method} {route.path}" for route in all_routes()}
    counted = {ask.route for ask in asks(NOBODY)} | {"POST /auth:exchange"}
    assert routes - OF_CHAINS == counted


@pytest.mark.parametrize("place", range(len(LABELS)), ids=LABELS)
def test_a_warm_request_takes_these_calls(functions: ApiFunctions, ids: Ids, place: int) -> None:
    # Given a function that has answered before, and an owner with a page of everything
    ask = asks(ids)[place]
    # When
    seen = functions.send(ask.method, ask.path, ask.body, **ask.headers)
    # Then
    assert (seen.status, seen.calls) == (ask.status, ask.calls), seen.body
    if ask.note.startswith("page of"):
        assert len(seen.body["data"]) == PAGE


def test_signing_in_takes_two_calls(functions: ApiFunctions) -> None:
    ask = log_in(Account.create())
    seen = functions.send(ask.method, ask.path, ask.body, Authorization="")
    assert (seen.status, seen.calls) == (200, ask.calls), seen.body


def test_a_get_reads_once_and_a_trigger_calls_four_times_at_most() -> None:
    for ask in asks(NOBODY):
        if ask.route in ("GET /workflows/{id}", "GET /executions/{id}:getStatus"):
            assert len(ask.calls) == 1
        if ask.route.endswith(":trigger"):
            assert len(ask.calls) <= 4


def test_an_execution_of_a_task_read_before_costs_its_record_and_its_steps(
    functions: ApiFunctions, ids: Ids
) -> None:
    # Given a task whose plan is remembered, and a run of it that is new
    task = functions.send("POST", "/workflows", definition(ids.wallet)).body["id"]
    first, second = triggered(functions, task), triggered(functions, task)
    # When
    cold = functions.send("GET", f"/executions/{first}?workflowId={task}")
    warm = functions.send("GET", f"/executions/{second}?workflowId={task}")
    # Then
    assert len(cold.calls) == len(warm.calls) + 1
    assert warm.calls == ("GetItem", "Query")
