"""Reading, pausing, resuming and deleting workflows."""

from __future__ import annotations

import base64
import json

import pytest
from task_engine.model.task import CompletionReason, TaskStatus

from tests.unit.api.world import OTHER, OWNER, START_MS, World

UNKNOWN = "01" + "a" * 24


def test_a_workflow_is_read_as_the_contract_says(world: World) -> None:
    # Given a task with a budget
    task = world.store_task(max_execution=5, expired_at=START_MS + 1)
    # When it is read, its id in upper case
    answer = world.call("GET", f"/workflows/{task.id.upper()}")
    # Then set fields are there, unset ones are absent, and the rest of the budget is told
    assert answer.status == 200
    document = answer.json
    assert document["owner"] == OWNER
    assert document["smartWalletAddress"] == task.wallet
    assert document["trigger"]["type"] == "manual"
    assert [node["id"] for node in document["nodes"]] == ["n0", "n1", "n2"]
    assert document["edges"][1] == {"id": "e1", "source": "n0", "target": "n1"}
    assert document["inputVariables"]["limit"] == 3
    assert (document["status"], document["remainingExecutions"]) == ("enabled", 5)
    assert document["expiredAt"] == START_MS + 1
    assert document.keys().isdisjoint({"executionCount", "startAt", "completedAt"})
    assert None not in document.values()


def test_a_used_up_budget_is_sent_as_zero(world: World) -> None:
    task = world.store_task(
        status=TaskStatus.COMPLETED,
        max_execution=2,
        execution_count=2,
        completed_at=START_MS,
        completion_reason=CompletionReason.MAX_EXECUTIONS_REACHED,
    )
    document = world.call("GET", f"/workflows/{task.id}").json
    assert (document["executionCount"], document["remainingExecutions"]) == (2, 0)
    assert document["completionReason"] == "TASK_COMPLETION_REASON_MAX_EXECUTIONS_REACHED"


@pytest.mark.parametrize(
    ("method", "suffix"),
    [("GET", ""), ("POST", ":pause"), ("POST", ":resume"), ("POST", ":trigger")],
)
def test_another_owners_workflow_is_as_unknown_as_none(
    world: World, method: str, suffix: str
) -> None:
    task = world.store_task(OTHER)
    body = {"triggerType": "manual"} if suffix == ":trigger" else None
    for task_id in (task.id, UNKNOWN, "01ANYULID", "x", "%2e%2e"):
        answer = world.call(method, f"/workflows/{task_id}{suffix}", body)
        assert (answer.status, answer.json["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert world.tasks.get(OTHER, task.id) == task


def test_deleting_is_idempotent_and_removes_schedules(world: World) -> None:
    # Given an armed task and a foreign one
    task, foreign = world.store_task(), world.store_task(OTHER)
    world.schedules.armed = {task.id, foreign.id}
    # When both are deleted, one of them twice
    for task_id in (task.id, task.id, foreign.id, UNKNOWN):
        answer = world.call("DELETE", f"/workflows/{task_id}")
        assert (answer.status, answer.text) == (204, "")
    # Then only the owner's is gone
    assert world.tasks.get(OWNER, task.id) is None
    assert world.tasks.get(OTHER, foreign.id) is not None
    assert world.schedules.armed == {foreign.id}


def test_what_can_not_be_read_is_deleted_all_the_same(world: World) -> None:
    task = world.store_task()
    world.tasks.unreadable.add(task.id)
    assert world.call("DELETE", f"/workflows/{task.id.upper()}").status == 204
    assert world.tasks.rows == {}


def test_pause_and_resume_follow_each_other_and_may_be_repeated(world: World) -> None:
    task = world.store_task()
    world.schedules.armed = {task.id}
    for verb, status, armed in [
        ("pause", "disabled", set()),
        ("pause", "disabled", set()),
        ("resume", "enabled", {task.id}),
        ("resume", "enabled", {task.id}),
    ]:
        answer = world.call("POST", f"/workflows/{task.id}:{verb}")
        assert (answer.status, answer.json["status"]) == (200, status)
        assert world.schedules.armed == armed


@pytest.mark.parametrize("status", [TaskStatus.COMPLETED, TaskStatus.FAILED])
@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_what_is_over_can_be_neither_paused_nor_resumed(
    world: World, status: TaskStatus, verb: str
) -> None:
    task = world.store_task(status=status)
    answer = world.call("POST", f"/workflows/{task.id}:{verb}")
    assert (answer.status, answer.json["code"]) == (409, "TASK_ALREADY_COMPLETED")


def test_resuming_that_can_not_arm_leaves_it_paused(world: World) -> None:
    task = world.store_task(status=TaskStatus.DISABLED)
    world.schedules.broken = True
    assert world.call("POST", f"/workflows/{task.id}:resume").status == 503
    assert world.call("GET", f"/workflows/{task.id}").json["status"] == "disabled"


def test_the_list_is_walked_forwards_and_back_in_pages_of_fifty(world: World) -> None:
    # Given 120 tasks of the owner's and one of another's
    ids = []
    for _ in range(120):
        world.clock.forward(1)
        ids.append(world.store_task().id)
    world.store_task(OTHER)
    newest_first = ids[::-1]
    # When the list is walked to its end
    pages, path = [], "/workflows"
    while True:
        answer = world.call("GET", path).json
        pages.append(answer)
        if not answer["pageInfo"]["hasNextPage"]:
            break
        path = f"/workflows?after={answer['pageInfo']['endCursor'].replace('+', '%2B')}"
    # Then it has come in pages of 50, 50 and 20
    seen = [[row["id"] for row in page["data"]] for page in pages]
    assert seen == [newest_first[:50], newest_first[50:100], newest_first[100:]]
    assert [page["pageInfo"]["hasPreviousPage"] for page in pages] == [False, True, True]
    assert "inputVariables" not in pages[0]["data"][0]
    # When it is walked back from there, then the same pages come again
    for expected, more in [(seen[1], True), (seen[0], False)]:
        cursor = pages[-1]["pageInfo"]["startCursor"].replace("+", "%2B")
        answer = world.call("GET", f"/workflows?before={cursor}").json
        pages.append(answer)
        assert [row["id"] for row in answer["data"]] == expected
        assert answer["pageInfo"]["hasPreviousPage"] is more
        assert answer["pageInfo"]["hasNextPage"] is True


def test_an_empty_page_has_no_cursors(world: World) -> None:
    answer = world.call("GET", "/workflows").json
    assert answer == {"data": [], "pageInfo": {"hasNextPage": False, "hasPreviousPage": False}}


@pytest.mark.parametrize(("limit", "rows"), [("", 50), ("0", 50), ("7", 7), ("1000", 60)])
def test_limits_are_clamped(world: World, limit: str, rows: int) -> None:
    for _ in range(60):
        world.store_task()
    assert len(world.call("GET", f"/workflows?limit={limit}").json["data"]) == rows


@pytest.mark.parametrize("limit", ["-1", "many", "1.5", "9" * 5000])
def test_other_limits_are_refused(world: World, limit: str) -> None:
    answer = world.call("GET", f"/workflows?limit={limit}")
    assert answer.status == 400
    assert answer.problems == {("limit", "INVALID_REQUEST")}


def _cursor(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode().replace("+", "%2B")


@pytest.mark.parametrize(
    "cursor",
    [
        "!!!",
        "e30=",
        _cursor([]),
        _cursor({"d": "next"}),
        _cursor({"d": "up", "p": "x"}),
        _cursor({"d": "next", "p": 7}),
        _cursor({"d": "next", "p": "x", "f": "another list"}),
        "A" * 5000,
        "%C3%A9",
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_malformed_cursor_is_refused(world: World, cursor: str, side: str) -> None:
    answer = world.call("GET", f"/workflows?{side}={cursor}")
    assert (answer.status, answer.json["code"]) == (400, "INVALID_CURSOR")


def test_a_cursor_is_good_for_its_own_list_only(world: World) -> None:
    # Given a cursor of all workflows
    world.store_task()
    cursor = world.call("GET", "/workflows").json["pageInfo"]["endCursor"].replace("+", "%2B")
    # When it is used with a filter or by another owner, then it is refused
    assert world.call("GET", f"/workflows?after={cursor}&status=enabled").status == 400
    assert world.call("GET", f"/workflows?after={cursor}", owner=OTHER).status == 400
    assert world.call("GET", f"/workflows?after={cursor}").status == 200


def test_a_plain_cursor_is_accepted(world: World) -> None:
    first = world.store_task()
    world.clock.forward(1)
    second = world.store_task()
    answer = world.call("GET", f"/workflows?after={_cursor({'d': 'next', 'p': second.id})}")
    assert [row["id"] for row in answer.json["data"]] == [first.id]


def test_filters_by_status_and_wallet(world: World) -> None:
    # Given an enabled and a paused task
    enabled, paused = world.store_task(), world.store_task(status=TaskStatus.DISABLED)
    wallet = enabled.wallet.lower()
    # When the list is filtered, then only what matches comes
    for query, expected in [
        ("status=enabled", {enabled.id}),
        ("status=disabled", {paused.id}),
        ("status=active&status=canceled", {enabled.id, paused.id}),
        (f"smartWalletAddress={wallet}", {enabled.id, paused.id}),
        (f"smartWalletAddress={wallet}&status=completed", set()),
    ]:
        rows = world.call("GET", f"/workflows?{query}").json["data"]
        assert {row["id"] for row in rows} == expected
        assert world.call("GET", f"/workflows:count?{query}").json == {"total": len(expected)}


def test_a_foreign_wallet_is_refused_by_the_list_and_skipped_by_the_count(world: World) -> None:
    task, foreign = world.store_task(), world.store_task(OTHER)
    answer = world.call("GET", f"/workflows?smartWalletAddress={foreign.wallet}")
    assert (answer.status, answer.problems) == (400, {("smartWalletAddress", "INVALID_REQUEST")})
    only = f"/workflows:count?smartWalletAddress={foreign.wallet}"
    assert world.call("GET", only).json == {"total": 0}
    both = f"{only}&smartWalletAddress={task.wallet}&smartWalletAddress=nonsense"
    assert world.call("GET", both).json == {"total": 1}


def test_an_unknown_status_is_refused(world: World) -> None:
    answer = world.call("GET", "/workflows?status=sleeping")
    assert (answer.status, answer.problems) == (400, {("status", "WORKFLOWS_BAD_REQUEST")})
