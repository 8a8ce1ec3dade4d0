"""Secrets: in, listed without values, out."""

from __future__ import annotations

import pytest
from task_engine.model.secret import SecretScope

from tests.unit.api.world import OTHER, OWNER, World

VALUE = "hunter2-the-value"


def test_a_secret_is_stored_replaced_and_never_shown(world: World) -> None:
    # When it is put twice
    first = world.call("PUT", "/secrets/api_key", {"value": "old"})
    world.clock.forward(5)
    second = world.call("PUT", "/secrets/api_key", {"value": VALUE})
    # Then it is new, then replaced, both without a body
    assert (first.status, first.text) == (201, "")
    assert (second.status, second.text) == (204, "")
    # And the list has its name, scope and times only
    listed = world.call("GET", "/secrets")
    now = world.clock.ms
    assert listed.json["data"] == [
        {"name": "api_key", "scope": "user", "createdAt": now - 5, "updatedAt": now}
    ]
    assert VALUE not in listed.text


def test_scopes_are_told_apart(world: World) -> None:
    task = world.store_task()
    body = {"value": VALUE, "workflowId": task.id.upper()}
    assert world.call("PUT", "/secrets/key", {"value": VALUE}).status == 201
    assert world.call("PUT", "/secrets/key", body).status == 201
    rows = world.call("GET", "/secrets").json["data"]
    assert [(row["scope"], row.get("workflowId")) for row in rows] == [
        ("user", None),
        ("workflow", task.id),
    ]
    only = world.call("GET", f"/secrets?workflowId={task.id}").json["data"]
    assert [row["scope"] for row in only] == ["workflow"]
    assert world.call("GET", "/secrets", owner=OTHER).json["data"] == []


def test_a_secret_needs_a_workflow_of_ones_own(world: World) -> None:
    foreign = world.store_task(OTHER)
    answer = world.call("PUT", "/secrets/key", {"value": VALUE, "workflowId": foreign.id})
    assert (answer.status, answer.json["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert not world.secret_rows.rows


@pytest.mark.parametrize("name", ["ap_key", "AP_key", "1st", "a-b", "a.b", "x" * 256, "%20"])
def test_an_unusable_name_is_refused(world: World, name: str) -> None:
    answer = world.call("PUT", f"/secrets/{name}", {"value": VALUE})
    assert (answer.status, answer.problems) == (400, {("name", "SECRETS_BAD_REQUEST")})


@pytest.mark.parametrize("value", ["", None, 7, {}, "x" * 4097])
def test_an_unusable_value_is_refused(world: World, value: object) -> None:
    answer = world.call("PUT", "/secrets/key", {"value": value})
    assert answer.status == 400
    assert {path for path, _ in answer.problems} == {"value"}
    assert not world.secret_rows.rows


def test_organisations_are_not_offered(world: World) -> None:
    answer = world.call("PUT", "/secrets/key", {"value": VALUE, "orgId": "o"})
    assert (answer.status, answer.json["code"]) == (501, "NOT_IMPLEMENTED")


def test_deleting_is_idempotent(world: World) -> None:
    world.call("PUT", "/secrets/key", {"value": VALUE})
    for _ in range(2):
        assert world.call("DELETE", "/secrets/key").status == 204
    assert not world.secret_rows.rows


def test_a_name_alone_deletes_the_users_first_then_the_one_workflows(world: World) -> None:
    # Given the same name for the user and for one workflow
    task = world.store_task()
    world.call("PUT", "/secrets/key", {"value": VALUE})
    world.call("PUT", "/secrets/key", {"value": VALUE, "workflowId": task.id})
    # When it is deleted by name, then the user's goes first
    world.call("DELETE", "/secrets/key")
    assert [info.scope for info, _ in world.secret_rows.rows.values()] == [SecretScope.WORKFLOW]
    # And then the workflow's
    world.call("DELETE", "/secrets/key")
    assert not world.secret_rows.rows


def test_a_name_that_two_workflows_have_is_not_guessed(world: World) -> None:
    tasks = [world.store_task(), world.store_task()]
    for task in tasks:
        world.call("PUT", "/secrets/key", {"value": VALUE, "workflowId": task.id})
    assert world.call("DELETE", "/secrets/key").status == 204
    assert len(world.secret_rows.rows) == 2
    world.call("DELETE", f"/secrets/key?workflowId={tasks[0].id}")
    assert [info.task_id for info, _ in world.secret_rows.rows.values()] == [tasks[1].id]


def test_the_list_is_paged_ascending_both_ways(world: World) -> None:
    names = [f"key_{n:03}" for n in range(70)]
    for name in reversed(names):
        world.secret_rows.put(OWNER, SecretScope.USER, "", name, VALUE, 0)
    first = world.call("GET", "/secrets").json
    after = first["pageInfo"]["endCursor"].replace("+", "%2B")
    second = world.call("GET", f"/secrets?after={after}").json
    before = second["pageInfo"]["startCursor"].replace("+", "%2B")
    back = world.call("GET", f"/secrets?before={before}").json
    assert [row["name"] for row in first["data"]] == names[:50]
    assert [row["name"] for row in second["data"]] == names[50:]
    assert back["data"] == first["data"]
    assert back["pageInfo"]["hasPreviousPage"] is False
