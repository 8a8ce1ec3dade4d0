"""What a deployment says about itself: alarms, errors in logs, concurrency, operators, money."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from task_engine.aws.operator_repository import OperatorRepository
from task_engine.errors import EngineError
from task_engine.evm.chains import Chains
from task_engine.evm.entry_point import ENTRY_POINTS
from task_engine.evm.eth_call import quantity

from infra_cdk.ops.deployment import Deployment
from infra_cdk.ops.engine import Engine
from infra_cdk.ops.keys import address
from infra_cdk.stage import stage_config

_MOST_LINES = 200


def alarms(deployment: Deployment) -> list[dict[str, Any]]:
    """Alarms of the deployment that are not OK, with the page that each names."""
    prefix = stage_config(deployment.stage, {}).prefix
    pages = deployment.client("cloudwatch").get_paginator("describe_alarms")
    return [
        {
            "alarm": alarm["AlarmName"].removeprefix(f"{prefix}-"),
            "state": alarm["StateValue"],
            "since": str(alarm.get("StateUpdatedTimestamp", "")),
            "description": alarm.get("AlarmDescription", ""),
        }
        for page in pages.paginate(AlarmNamePrefix=f"{prefix}-")
        for alarm in page["MetricAlarms"]
        if alarm["StateValue"] != "OK"
    ]


def errors(deployment: Deployment, function: str, minutes: float) -> Iterator[dict[str, Any]]:
    """Lines of errors and warnings that functions logged, 200 a function at most; all functions
    when `function` is ""."""
    since = int((time.time() - minutes * 60) * 1000)
    client = deployment.client("logs")
    chosen = deployment.functions()
    for name, deployed in chosen.items():
        if function and function.lower() != name.lower():
            continue
        try:
            found = client.filter_log_events(
                logGroupName=_log_group(deployment, deployed), startTime=since, limit=10_000
            )["events"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            continue
        rows = [row for event in found if (row := _row(name, event["message"])) is not None]
        yield from rows[-_MOST_LINES:]


def _log_group(deployment: Deployment, function: str) -> str:
    given = deployment.client("lambda").get_function_configuration(FunctionName=function)
    return str(given.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}")


def _row(function: str, message: str) -> dict[str, Any] | None:
    try:
        line = json.loads(message)
    except ValueError:
        # The runtime's own words: a time-out, memory that ran out, a module that does not load.
        bad = ("Task timed out", "Runtime.", "[ERROR]", "Traceback", "Process exited")
        return (
            {"function": function, "message": message.strip()}
            if any(word in message for word in bad)
            else None
        )
    if not isinstance(line, dict) or line.get("level") not in ("WARNING", "ERROR", "CRITICAL"):
        return None
    kept = ("timestamp", "level", "message", "code", "task_id", "execution_id", "node_id")
    return {"function": function, **{key: line[key] for key in kept if key in line}}


def concurrency(deployment: Deployment) -> dict[str, int]:
    """The account's limit of concurrent function calls, and what of it is not reserved."""
    limit = deployment.client("lambda").get_account_settings()["AccountLimit"]
    return {
        "limit": int(limit.get("ConcurrentExecutions", 0)),
        "unreserved": int(limit.get("UnreservedConcurrentExecutions", 0)),
    }


def operators(engine: Engine) -> list[dict[str, Any]]:
    """Operators, when each was last heard of and the block it is at."""
    now = engine.clock.now_ms()
    settings = engine.settings
    if "TABLE_OPERATORS" not in settings.names:
        settings.names["TABLE_OPERATORS"] = engine.deployment.tables()["operators"]
    return [
        {
            "operator": operator.address,
            "seenSecondsAgo": (now - operator.last_seen) // 1000,
            "live": operator.live(now),
            "blocks": {str(chain): block for chain, block in operator.blocks.items()},
        }
        for operator in OperatorRepository(engine.dynamo, settings).all()
    ]


@dataclass(frozen=True, slots=True)
class Purse:
    """What an account has on a chain, in wei; `error` when the chain did not tell."""

    name: str
    address: str
    chain_id: int
    wei: int
    error: str = ""


def funds(engine: Engine) -> list[Purse]:
    """The sending account's balance, and what paymasters have deposited, on every chain."""
    chains, found = Chains(engine.settings.chains), []
    sends = "BundlerKeyId" in engine.deployment.outputs
    for chain in engine.settings.chains.values():
        if not chain.rpc_urls:
            continue
        if sends and not chain.bundler_url:
            found.append(_balance(chains, chain.id, address(engine, "Bundler")))
        if chain.paymaster == "verifying":
            found.append(_deposit(chains, chain.id, chain.paymaster_address))
    return found


def _balance(chains: Chains, chain_id: int, account: str) -> Purse:
    try:
        answer = chains.rpc(chain_id).call("eth_getBalance", account, "latest")
    except EngineError as error:
        return Purse("sender", account, chain_id, 0, error.message)
    return Purse("sender", account, chain_id, quantity(answer))


def _deposit(chains: Chains, chain_id: int, paymaster: str) -> Purse:
    """`balanceOf(address)` of the EntryPoint: https://eips.ethereum.org/EIPS/eip-4337"""
    point = ENTRY_POINTS[chains.chain(chain_id).entry_point].address
    data = "0x70a08231" + paymaster.removeprefix("0x").lower().rjust(64, "0")
    try:
        answer = chains.rpc(chain_id).call("eth_call", {"to": point, "data": data}, "latest")
    except EngineError as error:
        return Purse("paymaster", paymaster, chain_id, 0, error.message)
    return Purse("paymaster", paymaster, chain_id, quantity(answer))
