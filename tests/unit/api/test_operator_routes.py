"""GET /operators."""

from __future__ import annotations

from task_engine.model.operator import Operator

from tests.unit.api.world import OTHER, OWNER, World


def test_nobody_watches(world: World) -> None:
    assert world.call("GET", "/operators", token="").json == {"data": []}


def test_operators_are_told_with_what_they_watch(world: World) -> None:
    # Given two operators, one of which watches nothing yet
    seen = world.clock.ms
    world.operators.register(Operator(OWNER, "1.2", seen, {84532: 7, 11155111: 9}, 3))
    world.operators.register(Operator(OTHER))
    # When anybody asks
    found = {row["address"]: row for row in world.call("GET", "/operators", token="").json["data"]}
    # Then both are there
    watching = {"eventMonitoring": True, "blockMonitoring": True, "timeMonitoring": False}
    assert found[OWNER] == {
        "address": OWNER,
        "supportedChainIds": [84532, 11155111],
        "capabilities": watching,
        "version": "1.2",
        "lastSeen": "2026-01-01T00:00:00.000Z",
        "blockNumber": 9,
        "eventCount": 3,
    }
    assert found[OTHER]["supportedChainIds"] == []
