"""The demo: the whole product on this machine, and a check of everything it claims."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from infra_cdk.local.client import ApiClient
from infra_cdk.local.demo_chain import CHAIN_ID, ChainDemo
from infra_cdk.local.demo_operators import INTERVAL, OperatorDemo, block_of, noted
from infra_cdk.local.demo_task import (
    LOOP_ITEMS,
    SECRET_NAME,
    OrderService,
    cron_task,
    expected_charges,
    orders_task,
)
from infra_cdk.local.leaks import places_with
from infra_cdk.local.login import sign_in, throw_away_account
from infra_cdk.local.progress import Steps
from infra_cdk.local.report import print_execution
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage
from infra_cdk.local.waiting import wait_until

Json = Any
# A minute until the next full one, the emulator's sweep of ten seconds, and a run.
_CRON_SECONDS = 80.0
_EVENT_SECONDS = 15.0


@dataclass(slots=True)
class Checks:
    """What the demo claims and whether it held."""

    console: Console
    failed: list[str] = field(default_factory=list)

    def hold(self, claim: str, held: bool, otherwise: str = "") -> None:
        """Print the claim with its verdict; `otherwise` says what was seen instead."""
        text = Text("  ✓ " if held else "  ✗ ", "green" if held else "red")
        text.append(claim if held else f"{claim}: {otherwise}", "default")
        self.console.print(text, soft_wrap=True)
        if not held:
            self.failed.append(claim)


def run_demo(settings: LocalSettings, console: Console) -> int:
    """Run it on a stage of its own; returns the exit status, 0 only if every claim held."""
    steps, checks = Steps(console), Checks(console)
    stage = start_stage(settings, f"demo-{os.getpid()}", steps)
    complete = False
    try:
        key = secrets.token_urlsafe(24)
        with OrderService(key) as shop, GraphqlServer() as graphql:
            _play(stage, shop, graphql, steps, checks)
        complete = not checks.failed
    finally:
        stage.stop(keep_logs=not complete)
    verdict = "everything held" if complete else f"{len(checks.failed)} claims did not hold"
    if complete:
        steps.done(verdict)
        return 0
    console.print(f"{verdict}; log: {stage.emulator_log}", style="red", soft_wrap=True)
    return 1


def _play(
    stage: LocalStage, shop: OrderService, graphql: GraphqlServer, steps: Steps, checks: Checks
) -> None:
    steps("signing in with a throw-away key")
    account = throw_away_account()
    client = sign_in(ApiClient(stage.base_url), account)
    steps(f"owner {client.owner}, wallet {client.wallet}; creating the tasks")
    cron = client.create_task(cron_task())
    steps(f"task {cron['id']} will run at the next full minute")
    watched = None
    if f"chain-{CHAIN_ID}" in stage.record.processes:
        steps(f"tasks for token transfers and for every {INTERVAL}th block of chain {CHAIN_ID}")
        watched = OperatorDemo(stage, client)
    client.put_secret(SECRET_NAME, shop.key)
    marker = f"customer-{secrets.token_hex(8)}"
    task = client.create_task(orders_task(shop.url, graphql.url, marker))
    steps(f"task {task['id']} created; running it and waiting for the answer")
    blocking = client.trigger(task["id"], blocking=True)
    _show(checks, "blocking run", client.execution(task["id"], blocking["executionId"]), marker)
    steps("running it in the background")
    started = client.trigger(task["id"], blocking=False)
    checks.hold(
        "a background run answers before it ends", started["status"] == "pending", str(started)
    )
    _show(checks, "background run", client.finished(task["id"], started["executionId"]), marker)
    checks.hold(
        "the shop was asked twice, with the right key", shop.answered == 2, f"{shop.answered} times"
    )
    if watched is not None:
        _on_chain(ChainDemo(stage, client, account), steps, checks)
    _cron(client, cron["id"], steps, checks)
    if watched is not None:
        _watched(watched, steps, checks)
    steps("looking for the secret's value in all that was stored or logged")
    _secrecy(stage, client, shop.key, marker, checks)


def _show(checks: Checks, title: str, execution: Json, marker: str) -> None:
    print_execution(checks.console, title, execution)
    outputs = {step.get("name"): step.get("output") for step in execution["steps"]}
    claims: list[tuple[str, Callable[[], bool]]] = [
        ("it succeeded", lambda: execution["status"] == "success"),
        (
            "the arm taken ran, the other did not",
            lambda: "charge" in outputs and "reject" not in outputs,
        ),
        (
            f"the loop charged all {LOOP_ITEMS} orders",
            lambda: outputs["charge"]["data"] == expected_charges(),
        ),
        (
            "the GraphQL server knew the customer",
            lambda: outputs["greet"]["data"]["hello"] == f"Hello, {marker}!",
        ),
    ]
    for claim, holds in claims:
        try:
            checks.hold(claim, holds(), str(execution.get("error", "see above")))
        except (KeyError, TypeError) as error:
            checks.hold(claim, False, f"no such output ({error!r})")


def _on_chain(demo: ChainDemo, steps: Steps, checks: Checks) -> None:
    steps(f"on chain {CHAIN_ID}: deploying a token, giving the wallet 250 of it and an ether")
    demo.provide()
    steps("the owner signs a session policy: transfers of that token, half of it at most, an hour")
    policy = demo.grant()
    checks.hold("the session policy is in use", policy["status"] == "active", str(policy))
    steps("read -> code -> branch -> write: a fifth of what the wallet holds goes to another")
    paid = demo.pay()
    print_execution(checks.console, "run on chain", paid.execution)
    status = paid.execution["status"]
    checks.hold("the run on chain succeeded", status == "success", str(paid.execution))
    if paid.receipt:
        block, gas = (int(paid.receipt[name], 16) for name in ("blockNumber", "gasUsed"))
        text = f"  transaction {paid.receipt['transactionHash']}\n  block {block}, {gas} gas"
        checks.console.print(text, style="dim", soft_wrap=True)
    checks.hold("the chain has its receipt", paid.receipt.get("status") == "0x1", str(paid.receipt))
    checks.hold(
        f"on chain 50 of 250 moved: {paid.wallet_before} -> {paid.wallet_after}",
        (paid.moved, paid.payee_after) == (50_000_000, 50_000_000),
        f"{paid.moved} left, {paid.payee_after} arrived",
    )
    checks.hold(f"the wallet paid {paid.gas_paid} wei for gas", paid.gas_paid > 0, "nothing")


def _watched(demo: OperatorDemo, steps: Steps, checks: Checks) -> None:
    with steps.waiting("mining to the next such block; waiting for the operator to tell of it"):
        executions = demo.wait_for_blocks()
    fired = sorted(map(block_of, executions))
    print_execution(checks.console, "run by a block", executions[0])
    checks.hold(
        f"every {INTERVAL}th block fired, each once",
        len(set(fired)) == len(fired)
        and set(fired) >= demo.due()
        and not any(number % INTERVAL for number in fired),
        f"{fired} of {sorted(demo.due())}",
    )
    steps("sending the wallet 12.5 of a token")
    run = demo.transfer()
    print_execution(checks.console, "run by a transfer", run.execution)
    told = noted(run.execution)
    checks.hold("the task knows what came in", told == {"got": "12.5 WUSD"}, str(told))
    checks.hold(
        f"the run had ended {run.seconds:.1f} s after the transfer was sent",
        run.seconds < _EVENT_SECONDS,
        "that is too late",
    )


def _cron(client: ApiClient, task_id: str, steps: Steps, checks: Checks) -> None:
    def ran() -> Json:
        return next(iter(client.get(f"/workflows/{task_id}/executions")["data"]), None)

    with steps.waiting("waiting for the schedule to fire, at the next full minute"):
        execution = wait_until(ran, "the scheduled run", _CRON_SECONDS, 0.25)
    execution = client.finished(task_id, execution["id"])
    print_execution(checks.console, "scheduled run", execution)
    checks.hold("the schedule fired by itself", execution["status"] == "success", str(execution))


def _secrecy(stage: LocalStage, client: ApiClient, key: str, marker: str, checks: Checks) -> None:
    listed = client.get("/secrets")["data"]
    checks.hold(
        "the secret is listed by its name",
        [s["name"] for s in listed] == [SECRET_NAME],
        str(listed),
    )
    # The search is worth something only if it finds what is known to be there.
    control = places_with(marker, stage.aws, stage.directory)
    checks.hold(
        "the search finds what is no secret",
        any(place.startswith("table ") for place in control),
        f"only in {control}",
    )
    told = json.dumps(_all_that_the_api_tells(client))
    checks.hold("the API does not tell the secret's value", key not in told, "it does")
    leaks = places_with(key, stage.aws, stage.directory)
    checks.hold("the secret's value stands nowhere", not leaks, f"found in {', '.join(leaks)}")


def _all_that_the_api_tells(client: ApiClient) -> list[Json]:
    tasks = client.get("/workflows")["data"]
    executions = [
        client.execution(task["id"], execution["id"])
        for task in tasks
        for execution in client.get(f"/workflows/{task['id']}/executions")["data"]
    ]
    return [
        client.get("/secrets"),
        [client.get(f"/workflows/{t['id']}") for t in tasks],
        executions,
    ]
