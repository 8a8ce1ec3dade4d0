"""Whatever stands in whichever field of a body: no request is answered as a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from task_engine.config import Limits

from tests.unit.api.operator import signed
from tests.unit.api.test_event_files import FILES
from tests.unit.api.world import CHAIN, World

ODD: list[Any] = [
    None, True, 0, -1, 1.5, 2**53 + 1, 10**30, "", " ", "x", "\u0000", "0x", "{{x.data}}",
    [], [[]], [None], {}, {"": {}}, {"a": {"b": [1]}},
]  # fmt: skip
_DEEP = 5
BODIES = [file for file in FILES if json.loads(file.read_text(encoding="utf-8")).get("body")]
ADDRESS = "0x" + "ab" * 20
TRIGGERS = [
    {"type": "fixedTime", "config": {"epochs": [1_900_000_000_000]}},
    {"type": "cron", "config": {"schedules": ["0 * * * *"], "timezone": "UTC"}},
    {"type": "block", "config": {"interval": 10, "chainId": CHAIN}},
    {
        "type": "event",
        "config": {
            "chainId": CHAIN,
            "cooldownSeconds": 1,
            "queries": [
                {
                    "addresses": [ADDRESS],
                    "topics": [None],
                    "maxEventsPerBlock": 5,
                    "contractAbi": [{"type": "event", "name": "E", "inputs": []}],
                    "conditions": [{"fieldName": "a", "operator": "eq", "value": "1"}],
                    "methodCalls": [{"methodName": "decimals", "callData": "0x313ce567"}],
                }
            ],
        },
    },
]
NODES = [
    {"type": "restApi", "config": {"url": "https://x.test/", "headers": {"A": "b"}, "options": {}}},
    {"type": "graphqlQuery", "config": {"url": "https://x.test/", "query": "{a}", "variables": {}}},
    {"type": "branch", "config": {"conditions": [{"id": "a", "type": "if", "expression": "true"}]}},
    {"type": "filter", "config": {"inputVariable": "{{start.data}}", "expression": "true"}},
    {
        "type": "loop",
        "config": {
            "inputVariable": "{{start.data}}",
            "iterVal": "one",
            "runner": {"type": "customCode", "config": {"source": "return 1"}},
        },
    },
    {
        "type": "contractRead",
        "config": {
            "contractAddress": ADDRESS,
            "chainId": CHAIN,
            "contractAbi": [{"type": "function", "name": "decimals", "inputs": []}],
            "methodCalls": [{"methodName": "decimals", "methodParams": [], "applyToFields": []}],
        },
    },
    {"type": "ethTransfer", "config": {"destination": ADDRESS, "amount": "1", "chainId": CHAIN}},
    {"type": "balance", "config": {"address": ADDRESS, "chain": "sepolia", "tokenAddresses": []}},
    {"type": "await", "config": {"channel": "api", "approvers": [ADDRESS], "timeoutSeconds": 60}},
    {"type": "await", "config": {"chainEvent": {"chainId": CHAIN, "queries": [{}]}}},
]


@pytest.fixture
def world() -> World:
    """Nobody is held up by the rate."""
    return World(Limits(rate_limit_burst=1_000_000, max_active_tasks=1_000_000))


def spoiled(value: Any, deep: int = _DEEP) -> Iterator[Any]:
    """The document with each part of it, down to some depth, replaced by each odd value."""
    yield from ODD
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict) and deep:
        parts = list(value.items())
    elif isinstance(value, list) and deep:
        parts = list(enumerate(value[:1]))
    for key, part in parts:
        for odd in spoiled(part, deep - 1):
            copy = value.copy()
            copy[key] = odd
            yield copy


def no_constant(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


def faults(world: World, event: dict[str, Any], bodies: Iterator[Any]) -> list[tuple[int, str]]:
    """The bodies that are answered as a fault, or by what is no JSON."""
    found = []
    for body in bodies:
        sent = {**event, "body": json.dumps(body), "isBase64Encoded": False}
        if "X-Operator-Address" in event["headers"]:
            sent = signed(sent, world.clock.ms)
        answer = world.send(sent)
        if answer.text:
            json.loads(answer.text, parse_constant=no_constant)
        if answer.status >= 500 and answer.status not in (501, 503):
            found.append((answer.status, sent["body"][:300]))
    return found


def event_of(world: World, file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8").replace("<token>", world.token())
    found: dict[str, Any] = json.loads(text.replace("<wallet>", world.first_wallet()))
    return found


@pytest.mark.parametrize("file", BODIES, ids=lambda file: str(file.stem))
def test_no_body_of_a_route_is_a_fault(world: World, file: Path) -> None:
    event = event_of(world, file)
    assert faults(world, event, spoiled(json.loads(event["body"]))) == []


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: str(trigger["type"]))
@pytest.mark.parametrize("route", ["workflows_create", "triggers_run"])
def test_no_trigger_is_a_fault(world: World, route: str, trigger: dict[str, Any]) -> None:
    [file] = [file for file in FILES if file.stem == route]
    event = event_of(world, file)
    body = json.loads(event["body"])
    whole = {"id": "t", "name": "start", **trigger}
    assert faults(world, event, ({**body, "trigger": odd} for odd in spoiled(whole))) == []


@pytest.mark.parametrize("node", NODES, ids=lambda node: str(node["type"]))
def test_no_node_is_a_fault(world: World, node: dict[str, Any]) -> None:
    [file] = [file for file in FILES if file.stem == "workflows_create"]
    event = event_of(world, file)
    body = json.loads(event["body"])
    whole = {"id": "n", "name": "n", **node}
    assert faults(world, event, ({**body, "nodes": [odd]} for odd in spoiled(whole))) == []
