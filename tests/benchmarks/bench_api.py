"""Warm API requests: what the functions take besides their AWS calls, and how many those are."""

from __future__ import annotations

import logging
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from eth_account import Account

from infra_cdk.local.settings import REGION, LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage
from tests.integration.api_functions import ApiFunctions, api_functions
from tests.integration.api_routes import PAGE, Ask, Ids, asks, definition, log_in, prepared

ROUNDS = 40
PAGES = f"page of {PAGE}"
# Of the stage's own process; nothing here may change what is asked of DynamoDB and its kin.
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
_PATIENCE = {"RATE_LIMIT_PER_SECOND": "1000000", "RATE_LIMIT_BURST": "1000000"}


def run() -> list[dict[str, object]]:
    """A row a route: the median of its own ms, and its AWS calls; tables and machines are those of
    a deployed local stage, the handlers run in this process."""
    stage = start_stage(LocalSettings.for_own_stage(), "bench-api", progress=lambda _: None)
    try:
        owner = Account.create().address
        with _logs_aside(), api_functions(_environment(stage), owner) as api:
            return _measure(api)
    finally:
        stage.stop()


@contextmanager
def _logs_aside() -> Iterator[None]:
    """The functions' log lines are made as always, but not between the tables."""
    shown, sys.stdout = sys.stdout, StringIO()
    try:
        yield
    finally:
        sys.stdout = shown
        for handler in logging.getLogger().handlers[:]:
            logging.getLogger().removeHandler(handler)


def _environment(stage: LocalStage) -> dict[str, str]:
    """The variables that the stack gave to the functions of the API, together."""
    client = stage.aws.client("lambda")
    found: dict[str, str] = {}
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if ".api_" in function["Handler"]:
                found |= function.get("Environment", {}).get("Variables", {})
    found |= {f"TASK_ENGINE_{name}": value for name, value in _PATIENCE.items()}
    return {**found, **_CREDENTIALS, "AWS_ENDPOINT_URL": stage.aws.endpoint}


def _measure(api: ApiFunctions) -> list[dict[str, object]]:
    ids = prepared(api)
    for number in range(PAGE):
        api.send("POST", "/workflows", definition(ids.wallet))
        api.send("PUT", f"/secrets/S{number}", {"value": "v"})
        if number:
            api.send("POST", f"/workflows/{ids.task}:trigger", {"triggerType": "manual"})
    rows = [_row(api, [ask] * (1 if ask.once else ROUNDS)) for ask in asks(ids)]
    rows.append(_row(api, [_blocking(api, ids)] * ROUNDS))
    rows.append(_row(api, [log_in(Account.create()) for _ in range(ROUNDS)]))
    own = [float(str(row["value"])) for row in rows]
    return [
        *rows,
        {
            "name": "median of the routes",
            "value": statistics.median(own),
            "unit": "ms",
            "target": "<= 5",
        },
        {
            "name": f"slowest but for pages of {PAGE}",
            "value": max(own[n] for n, row in enumerate(rows) if PAGES not in str(row["name"])),
            "unit": "ms",
        },
    ]


def _blocking(api: ApiFunctions, ids: Ids) -> Ask:
    task = api.send("POST", "/workflows", definition(ids.wallet)).body["id"]
    body = {"triggerType": "manual", "isBlocking": True}
    return Ask(
        "POST /workflows/{id}:trigger",
        f"/workflows/{task}:trigger",
        ("GetItem", "TransactWriteItems", "StartSyncExecution", "GetItem"),
        body=body,
        note="blocking",
    )


def _row(api: ApiFunctions, same: list[Ask]) -> dict[str, object]:
    """The median over these requests of one kind, the first of which only warms up."""
    ask = same[0]
    seen = [api.send(each.method, each.path, each.body, **each.headers) for each in same]
    last = seen[-1]
    if (last.status, last.calls) != (ask.status, ask.calls):
        raise RuntimeError(f"{ask.route}: {last.status} by {last.calls}: {last.body}")
    warm = seen[1:] or seen
    return {
        "name": f"{ask.route} {ask.note}".rstrip(),
        "value": round(statistics.median(each.own_ms for each in warm), 2),
        "unit": f"ms, {len(last.calls)} calls",
        "target": ", ".join(last.calls),
        "calls": list(last.calls),
    }
