"""What `definition()` gives makes the same task again, on the API's own code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from task_engine.config import Limits

from task_engine_client import ApiError
from tests.fakes.clock import START_MS
from tests.unit.api.world import CHAIN, World
from tests.unit.client.over_the_api import client_of

ADDRESS = "0x" + "1" * 40
HOUR_MS = 3_600_000
CODE = {"lang": "javascript", "source": "return {{start.data.n}}"}
TRIGGERS: dict[str, dict[str, Any]] = {
    "manual": {"lang": "json", "data": {"n": 1}, "headers": {"a": "b"}, "pathParams": {"c": "d"}},
    "fixedTime": {"epochs": [START_MS + HOUR_MS]},
    "cron": {"schedules": ["0 9 * * 1-5"], "timezone": "Europe/Berlin"},
    "block": {"interval": 100, "chainId": CHAIN},
    "event": {
        "chainId": CHAIN,
        "cooldownSeconds": 600,
        "queries": [
            {
                "addresses": [ADDRESS],
                "topics": [None, "0x" + "2" * 64],
                "maxEventsPerBlock": 5,
                "conditions": [
                    {"fieldName": "value", "operator": "gt", "value": "1", "fieldType": "uint256"}
                ],
            }
        ],
    },
}
NODES: dict[str, dict[str, Any]] = {
    "customCode": CODE,
    "branch": {"conditions": [{"id": "a", "type": "if", "expression": "{{start.data.n}} > 1"}]},
    "filter": {"inputVariable": "{{start.data}}", "expression": "value > 1"},
    "loop": {
        "inputVariable": "{{start.data}}",
        "iterVar": "each",
        "runner": {"id": "r", "name": "r", "type": "customCode", "config": CODE},
    },
    "restApi": {
        "url": "https://a.test/{{start.data.n}}",
        "method": "POST",
        "headers": {"A": "{{apContext.configVars.KEY}}"},
        "body": "{}",
    },
    "graphqlQuery": {"url": "https://a.test", "query": "{ a }", "variables": {"a": "1"}},
    "await": {"channel": "api", "approvers": [ADDRESS], "prompt": "?", "timeoutSeconds": 60},
}


def body(world: World, **changes: Any) -> dict[str, Any]:
    """A create request of the world's owner."""
    wallet = world.first_wallet()
    node = {"id": "n", "name": "work", "type": "customCode", "config": CODE}
    trigger = {"id": "t", "name": "start", "type": "manual", "config": TRIGGERS["manual"]}
    return {
        "name": "round",
        "smartWalletAddress": wallet,
        "trigger": trigger,
        "nodes": [node],
        "edges": [{"id": "e", "source": "t", "target": "n"}],
        "inputVariables": {"settings": {"runner": wallet, "own": [1]}, "limit": 3},
        **changes,
    }


def twice(world: World, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The definition of a task, and of the task that its export makes."""
    client = client_of(world)
    first = client.workflows.get(client.workflows.create(given).id).definition()
    exported = json.loads(json.dumps(first, allow_nan=False))
    second = client.workflows.get(client.workflows.create(exported).id).definition()
    return first, second


@pytest.mark.parametrize("kind", TRIGGERS)
def test_every_kind_of_trigger_comes_back(kind: str) -> None:
    # Given
    world = World()
    trigger = {"id": "t", "name": "start", "type": kind, "config": TRIGGERS[kind]}
    # When
    first, second = twice(world, body(world, trigger=trigger))
    # Then
    assert first == second
    assert first["trigger"] == trigger
    assert first["inputVariables"] == body(world)["inputVariables"]


@pytest.mark.parametrize("kind", NODES)
def test_every_kind_of_node_comes_back(kind: str) -> None:
    # Given
    world = World()
    node = {"id": "n", "name": "work", "type": kind, "config": NODES[kind]}
    # When
    first, second = twice(world, body(world, nodes=[node]))
    # Then
    assert first == second
    assert first["nodes"] == [node]


def test_bounds_come_back_and_what_the_server_added_does_not() -> None:
    # Given
    world = World()
    bounds = {
        "startAt": START_MS + HOUR_MS,
        "expiredAt": START_MS + 9 * HOUR_MS,
        "maxExecution": 7,
    }
    # When
    first, second = twice(world, body(world, **bounds))
    # Then
    assert first == second == body(world, **bounds)


def test_a_key_makes_one_task_however_often_it_is_sent() -> None:
    # Given
    world = World(Limits(rate_limit_burst=100))
    client = client_of(world)
    # When
    first = client.workflows.create(body(world), key="k")
    again = client.workflows.create(body(world), key="k")
    # Then
    assert first.id == again.id
    assert client.workflows.count() == 1
    # And another definition is refused under it
    with pytest.raises(ApiError) as caught:
        client.workflows.create(body(world, name="other"), key="k")
    assert (caught.value.status, caught.value.code) == (409, "IDEMPOTENCY_KEY_REUSED")
