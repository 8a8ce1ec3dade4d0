"""POST /workflows."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from task_engine.config import Limits
from task_engine.model.operator import LIVE_MS, Operator

from tests.unit.api.operator import OPERATOR
from tests.unit.api.world import CHAIN, OTHER, OWNER, START_MS, World

HOUR_MS = 3_600_000
OTHER_CHAIN = 84532


def _body(world: World, **changes: Any) -> dict[str, Any]:
    wallet = world.first_wallet()
    body = {
        "name": "orders",
        "smartWalletAddress": wallet,
        "trigger": {"id": "t1", "name": "tick", "type": "cron", "config": CRON},
        "nodes": [
            {"id": "n1", "name": "one", "type": "customCode", "config": _code("return {a: 1}")},
            {"id": "n2", "name": "two", "type": "customCode", "config": _code("return one.data.a")},
        ],
        "edges": [
            {"id": "e1", "source": "t1", "target": "n1"},
            {"id": "e2", "source": "n1", "target": "n2"},
        ],
        "inputVariables": {"settings": {"runner": wallet.lower()}, "limit": 3},
    }
    body.update(changes)
    return copy.deepcopy(body)


CRON = {"schedules": ["0 * * * *"], "timezone": "Europe/Berlin"}


def _code(source: str) -> dict[str, str]:
    return {"lang": "javascript", "source": source}


def test_a_task_is_stored_compiled_and_armed(world: World) -> None:
    # When a correct task is created
    end = START_MS + 2 * HOUR_MS
    answer = world.call("POST", "/workflows", _body(world, expiredAt=end, maxExecution=7))
    # Then the answer is the task, with what the server adds
    assert answer.status == 201, answer.text
    document = answer.json
    assert document["status"] == "enabled"
    assert document["owner"] == OWNER
    assert document["smartWalletAddress"] == world.first_wallet()
    assert document["createdAt"] == START_MS
    assert (document["maxExecution"], document["remainingExecutions"]) == (7, 7)
    assert document["trigger"]["config"] == CRON
    settings = document["inputVariables"]["settings"]
    assert settings["runner"].lower() == world.first_wallet().lower()
    assert {name: settings[name] for name in ("id", "owner", "name")} == {
        "id": document["id"],
        "owner": OWNER,
        "name": "orders",
    }
    assert (settings["startAt"], settings["expiredAt"], settings["maxExecution"]) == (0, end, 7)
    # And it is read back the same, its plan is there, its schedule is armed
    assert world.call("GET", f"/workflows/{document['id']}").json == document
    assert world.tasks.of(OWNER, document["id"], 1).nodes["n2"].reads == ("n1",)
    assert world.schedules.armed == {document["id"]}


def test_the_default_budget_is_the_deployments(world: World) -> None:
    assert world.call("POST", "/workflows", _body(world)).json["maxExecution"] == 51_840


def test_a_task_is_created_triggered_and_read(world: World) -> None:
    manual = {"id": "t1", "name": "start", "type": "manual", "config": {"lang": "json"}}
    task_id = world.call("POST", "/workflows", _body(world, trigger=manual)).json["id"]
    body = {"triggerType": "manual", "triggerOutput": {"data": {"x": 1}}}
    run = world.call("POST", f"/workflows/{task_id}:trigger", body).json
    read = world.call("GET", f"/executions/{run['executionId']}?workflowId={task_id}").json
    assert (read["status"], read["index"]) == ("pending", 0)


def test_all_problems_are_named_at_once_a_foreign_runner_too(world: World) -> None:
    # Given a request with a foreign runner, a cycle of names, a bad time and an unknown field
    body = _body(world, expiredAt=START_MS + 1, nonsense=True, maxExecution=0)
    body["inputVariables"]["settings"]["runner"] = world.first_wallet(OTHER)
    body["nodes"][1]["name"] = "one"
    # When it is sent
    answer = world.call("POST", "/workflows", body)
    # Then each is named with its place
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    paths = {path for path, _ in answer.problems}
    assert paths >= {
        "inputVariables.settings.runner",
        "expiredAt",
        "maxExecution",
        "nonsense",
        "nodes[1].name",
    }
    assert not world.tasks.rows


def test_a_foreign_runner_alone_is_refused(world: World) -> None:
    body = _body(world)
    body["inputVariables"]["settings"]["runner"] = world.first_wallet(OTHER)
    answer = world.call("POST", "/workflows", body)
    assert answer.status == 400
    assert answer.problems == {("inputVariables.settings.runner", "SMART_WALLET_NOT_FOUND")}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("trigger", None),
        ("nodes", []),
        ("edges", []),
        ("inputVariables", {}),
        ("inputVariables", {"settings": {"runner": "0x12"}}),
        ("nodes", "text"),
        ("edges", [{"id": "e", "source": "t1", "target": "nowhere"}]),
        ("name", "x" * 256),
    ],
)
def test_a_broken_part_is_refused_with_its_place(world: World, place: str, value: object) -> None:
    answer = world.call("POST", "/workflows", _body(world, **{place: value}))
    assert answer.status == 400
    assert any(path.startswith(place) for path, _ in answer.problems), answer.text


def test_broken_javascript_is_refused(world: World) -> None:
    body = _body(world)
    body["nodes"][0]["config"] = _code("return {")
    answer = world.call("POST", "/workflows", body)
    assert answer.status == 400
    assert {path for path, _ in answer.problems} == {"nodes[0].config.source"}


def test_a_schedule_that_can_not_be_made_leaves_nothing_behind(world: World) -> None:
    world.schedules.broken = True
    assert world.call("POST", "/workflows", _body(world)).status == 503
    assert not world.tasks.rows
    assert not world.schedules.armed


def test_the_quota_of_enabled_tasks_counts_those_enabled_now() -> None:
    # Given a stage that allows two enabled tasks
    world = World(limits=Limits(max_active_tasks=2, rate_limit_burst=1000))
    first = world.call("POST", "/workflows", _body(world)).json["id"]
    world.call("POST", "/workflows", _body(world))
    # When a third is created, then it is refused
    assert world.call("POST", "/workflows", _body(world)).status == 429
    # And once one is paused, there is room again, but none to resume it
    world.call("POST", f"/workflows/{first}:pause")
    assert world.call("POST", "/workflows", _body(world)).status == 201
    assert world.call("POST", f"/workflows/{first}:resume").status == 429


def test_retries_survive_the_round_trip(world: World) -> None:
    body = _body(world)
    body["nodes"][0]["retry"] = {"maxAttempts": 3, "backoffSeconds": 0.5}
    created = world.call("POST", "/workflows", body)
    assert created.json["nodes"][0]["retry"] == {"maxAttempts": 3, "backoffSeconds": 0.5}


def test_the_same_key_and_body_create_one_task(world: World) -> None:
    # Given a task that was created under a key
    headers = {"Idempotency-Key": "order-7"}
    first = world.call("POST", "/workflows", _body(world), headers=headers)
    # When the same request comes again, then it has the same answer
    again = world.call("POST", "/workflows", _body(world), headers=headers)
    assert (again.status, again.json) == (201, first.json)
    assert len(world.tasks.rows) == 1
    # And another request under that key is refused
    other = world.call("POST", "/workflows", _body(world, name="else"), headers=headers)
    assert (other.status, other.json["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    # And after a day the key is free again
    world.clock.forward(25 * HOUR_MS)
    assert world.call("POST", "/workflows", _body(world), headers=headers).json != first.json


def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    headers = {"Idempotency-Key": "order-7"}
    assert world.call("POST", "/workflows", _body(world, nodes=[]), headers=headers).status == 400
    assert world.call("POST", "/workflows", _body(world), headers=headers).status == 201


EVENT = {"chainId": CHAIN, "queries": [{"addresses": ["0x" + "11" * 20]}]}


def _watched(world: World, chain: int) -> dict[str, Any]:
    trigger = {"id": "t1", "name": "tick", "type": "block"}
    return _body(world, trigger={**trigger, "config": {"chainId": chain, "interval": 300}})


def test_a_task_on_a_chain_that_nobody_watches_is_refused(world: World) -> None:
    # Given an operator that was silent for too long
    operator = str(OPERATOR.address)
    world.operators.register(Operator(operator, "1", world.clock.ms, {OTHER_CHAIN: 1}))
    world.clock.forward(LIVE_MS + 1)
    # When tasks and waits are created on the chain that it alone watched
    node = {"id": "n3", "name": "three", "type": "await", "config": {"chainEvent": EVENT}}
    body = _watched(world, OTHER_CHAIN)
    body["nodes"].append({**node, "config": {"chainEvent": {**EVENT, "chainId": OTHER_CHAIN}}})
    body["edges"].append({"id": "e3", "source": "n2", "target": "n3"})
    answer = world.call("POST", "/workflows", body)
    # Then all places are told
    assert answer.status == 400
    assert answer.problems == {
        ("trigger.config.chainId", "CHAIN_NOT_WATCHED"),
        ("nodes[2].config.chainEvent.chainId", "CHAIN_NOT_WATCHED"),
    }
    # And as soon as it is heard again, it is fine
    world.operators.register(Operator(operator, "1", world.clock.ms, {OTHER_CHAIN: 1}))
    assert world.call("POST", "/workflows", body).status == 201


def test_a_watched_tasks_check_begins_when_it_is_created(world: World) -> None:
    answer = world.call("POST", "/workflows", _watched(world, CHAIN))
    assert answer.status == 201, answer.text
    [task] = world.tasks.rows.values()
    assert task.check_version == world.clock.ms
