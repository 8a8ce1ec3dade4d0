"""Reading executions: one, lists, counts, statistics."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.ids import new_id
from task_engine.model.execution import (
    Execution,
    ExecutionStatus,
    Outcome,
    RunContext,
    Step,
    StepError,
    StepStatus,
)
from task_engine.model.node import NodeType
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerRecord, TriggerType

from tests.unit.api.world import OTHER, World

UNKNOWN = "01" + "a" * 24
DAY_MS = 86_400_000


def _run(
    world: World,
    task: Task,
    status: ExecutionStatus = ExecutionStatus.SUCCESS,
    took_ms: int = 100,
    index: int = 0,
) -> Execution:
    world.clock.forward(1)
    now = world.clock.ms
    execution = Execution(
        id=new_id(now),
        task_id=task.id,
        owner=task.owner,
        index=index,
        status=status,
        trigger=TriggerRecord(TriggerType.MANUAL, {"amount": 3}, headers={"a": "1"}),
        context=RunContext("Enabled", 1, now, 0),
        start_at=now,
        end_at=now + took_ms if status.final else 0,
        chain_id=11155111,
    )
    world.records.rows[task.id, execution.id] = execution
    return execution


def _step(execution: Execution, node: str, ordinal: int, ended: int, outcome: Outcome) -> Step:
    return Step(
        execution_id=execution.id,
        node_id=node,
        ordinal=ordinal,
        name={"n0": "fetch", "n1": "sum", "n2": "other"}[node],
        type=NodeType.CUSTOM_CODE,
        status=StepStatus.FAILED if outcome.error else StepStatus.SUCCESS,
        start_at=execution.start_at + 1,
        end_at=execution.start_at + ended,
        outcome=outcome,
    )


def _path(execution: Execution, verb: str = "") -> str:
    return f"/executions/{execution.id}{verb}?workflowId={execution.task_id}"


def test_an_execution_is_read_with_its_steps_in_the_order_they_ended(world: World) -> None:
    # Given a failed run: fetch is fine, sum fails with data kept, other ended first
    task = world.store_task()
    execution = replace(
        _run(world, task, ExecutionStatus.FAILED), error="1 of 4 steps failed: sum", skipped=("n9",)
    )
    world.records.rows[task.id, execution.id] = execution
    failed = StepError("INVALID_REQUEST", "HTTP 503: Service Unavailable")
    world.steps.rows[execution.id] = [
        _step(execution, "n0", 1, 20, Outcome(data={"n": 1}, log="fetched")),
        _step(execution, "n2", 2, 10, Outcome(data=None, has_data=True, metadata=[1])),
        _step(
            execution, "n1", 3, 30, Outcome({"s": 503}, True, failed, display=0, has_display=True)
        ),
    ]
    # When it is read
    answer = world.call("GET", _path(execution))
    # Then the header tells the end
    assert answer.status == 200
    document = answer.json
    assert (document["workflowId"], document["index"]) == (task.id, 0)
    assert (document["status"], document["error"]) == ("failed", "1 of 4 steps failed: sum")
    assert (document["endAt"], document["chainId"]) == (execution.end_at, 11155111)
    assert document["skipped"] == ["n9"]
    # And the steps come as they ended, the trigger's first
    trigger, other, fetch, total = document["steps"]
    assert [s["id"] for s in document["steps"]] == ["t1", "n2", "n0", "n1"]
    assert (trigger["type"], trigger["success"]) == ("manual", True)
    assert trigger["output"] == {"data": {"amount": 3}}
    assert (other["output"], other["metadata"]) == ({"data": None}, [1])
    assert (fetch["success"], fetch["log"]) == (True, "fetched")
    assert fetch["config"] == {"lang": "javascript", "source": "return 1"}
    assert fetch["executionContext"] == {
        "is_simulated": False,
        "provider": "chain_rpc",
        "chain_id": 11155111,
    }
    assert (total["success"], total["errorCode"]) == (False, "INVALID_REQUEST")
    assert total["error"] == "HTTP 503: Service Unavailable"
    assert total["output"] == {"data": 0}
    assert "log" not in total
    assert "metadata" not in fetch
    # And inputs name what each could read: the trigger, variables, finished ancestors
    common = {"settings", "limit", "start.data", "start.input", "start.headers"}
    assert set(fetch["inputs"]) == common
    assert set(other["inputs"]) == common
    assert set(total["inputs"]) == common | {"fetch.data", "fetch.input"}


def test_a_failed_step_without_data_has_no_output_and_is_no_input(world: World) -> None:
    task = world.store_task()
    execution = _run(world, task, ExecutionStatus.FAILED)
    error = StepError("INVALID_NODE_CONFIG", "source is required")
    world.steps.rows[execution.id] = [
        _step(execution, "n0", 1, 20, Outcome(has_data=False, error=error)),
        _step(execution, "n1", 2, 30, Outcome(data=1)),
    ]
    _, fetch, total = world.call("GET", _path(execution)).json["steps"]
    assert "output" not in fetch
    assert "fetch.data" not in total["inputs"]
    assert "fetch.input" in total["inputs"]


def test_a_pending_execution_has_no_steps_until_one_has_ended(world: World) -> None:
    # Given a pending execution whose first step has only begun
    task = world.store_task()
    execution = _run(world, task, ExecutionStatus.PENDING)
    done = _step(execution, "n0", 1, 5, Outcome(data=1))
    world.steps.rows[execution.id] = [replace(done, status=StepStatus.RUNNING, end_at=0)]
    # When it is read, then there are no steps
    document = world.call("GET", _path(execution)).json
    assert document["status"] == "pending"
    assert document.keys().isdisjoint({"steps", "endAt", "error"})
    # And once the step has ended, it is there
    world.steps.rows[execution.id] = [done]
    assert [s["id"] for s in world.call("GET", _path(execution)).json["steps"]] == ["t1", "n0"]


def test_an_execution_of_a_deleted_workflow_stays_readable(world: World) -> None:
    # Given an execution whose task is deleted
    task = world.store_task()
    execution = _run(world, task)
    world.steps.rows[execution.id] = [_step(execution, "n0", 1, 5, Outcome(data=1))]
    world.call("DELETE", f"/workflows/{task.id}")
    # When its owner reads it, alone and in the list, then it is there
    document = world.call("GET", _path(execution)).json
    assert [step["output"] for step in document["steps"]] == [{"data": {"amount": 3}}, {"data": 1}]
    rows = world.call("GET", f"/workflows/{task.id}/executions").json["data"]
    assert [row["id"] for row in rows] == [execution.id]
    # And to others it is unknown
    assert world.call("GET", _path(execution), owner=OTHER).status == 404
    listed = world.call("GET", f"/workflows/{task.id}/executions", owner=OTHER)
    assert listed.status == 404


def test_the_status_is_a_summary(world: World) -> None:
    execution = _run(world, world.store_task())
    answer = world.call("GET", _path(execution, ":getStatus"))
    assert answer.json == {
        "id": execution.id,
        "workflowId": execution.task_id,
        "status": "success",
        "startAt": execution.start_at,
        "endAt": execution.end_at,
    }


@pytest.mark.parametrize("verb", ["", ":getStatus"])
def test_unknown_and_foreign_executions_are_not_found(world: World, verb: str) -> None:
    mine = _run(world, world.store_task())
    theirs = _run(world, world.store_task(OTHER))
    for path in (
        _path(theirs, verb),
        f"/executions/{UNKNOWN}{verb}?workflowId={mine.task_id}",
        f"/executions/{mine.id}{verb}?workflowId={theirs.task_id}",
        f"/executions/x{verb}?workflowId=y",
    ):
        answer = world.call("GET", path)
        assert (answer.status, answer.json["code"]) == (404, "EXECUTION_NOT_FOUND")


@pytest.mark.parametrize("path", ["/executions", "/executions/01x", "/executions/01x:getStatus"])
def test_the_workflow_has_to_be_named(world: World, path: str) -> None:
    answer = world.call("GET", path)
    assert answer.status == 400
    assert answer.problems == {("workflowId", "EXECUTIONS_WORKFLOW_REQUIRED")}


def test_lists_run_newest_first_over_all_the_workflows_asked_for(world: World) -> None:
    # Given executions of two tasks, interleaved
    one, two = world.store_task(), world.store_task()
    runs = [_run(world, task, index=n) for n in range(30) for task in (one, two)]
    expected = [run.id for run in reversed(runs)]
    query = f"workflowId={one.id}&workflowId={two.id}"
    # When two pages are read
    first = world.call("GET", f"/executions?{query}").json
    cursor = first["pageInfo"]["endCursor"].replace("+", "%2B")
    second = world.call("GET", f"/executions?{query}&after={cursor}").json
    # Then they are 50 and 10, without steps
    assert [row["id"] for row in first["data"]] == expected[:50]
    assert [row["id"] for row in second["data"]] == expected[50:]
    assert second["pageInfo"]["hasNextPage"] is False
    assert "steps" not in first["data"][0]
    # And the cursor is of no use for another set
    assert world.call("GET", f"/executions?workflowId={one.id}&after={cursor}").status == 400


def test_a_list_with_one_foreign_workflow_is_refused(world: World) -> None:
    mine, theirs = world.store_task(), world.store_task(OTHER)
    _run(world, theirs)
    for task_id in (theirs.id, UNKNOWN):
        answer = world.call("GET", f"/executions?workflowId={mine.id}&workflowId={task_id}")
        assert (answer.status, answer.json["code"]) == (404, "WORKFLOW_NOT_FOUND")


def test_counts_are_of_the_owners_executions(world: World) -> None:
    one, two, theirs = world.store_task(), world.store_task(), world.store_task(OTHER)
    for task in (one, one, two, theirs):
        _run(world, task)
    assert world.call("GET", "/executions:count").json == {"total": 3}
    query = f"workflowId={one.id.upper()}&workflowId={theirs.id}&workflowId=short"
    assert world.call("GET", f"/executions:count?{query}").json == {"total": 2}


def test_statistics_tell_the_last_seven_days_by_outcome(world: World) -> None:
    # Given an old run and recent ones of every status
    task, theirs = world.store_task(), world.store_task(OTHER)
    _run(world, task)
    world.clock.forward(7 * DAY_MS + 1000)
    for status, took in [
        (ExecutionStatus.SUCCESS, 100),
        (ExecutionStatus.FAILED, 300),
        (ExecutionStatus.ERROR, 200),
        (ExecutionStatus.PENDING, 0),
        (ExecutionStatus.WAITING, 0),
    ]:
        _run(world, task, status, took)
    _run(world, theirs)
    # When they are asked for, then what has not ended is not called failed
    for path in ("/executions:stats", f"/executions:stats?workflowId={task.id}"):
        assert world.call("GET", path).json == {
            "total": 5,
            "succeeded": 1,
            "failed": 2,
            "pending": 1,
            "waiting": 1,
            "avgExecutionTime": 200,
        }
    foreign = world.call("GET", f"/executions:stats?workflowId={theirs.id}").json
    assert (foreign["total"], foreign["avgExecutionTime"]) == (0, 0)


def test_a_stream_ends_with_the_run(world: World) -> None:
    execution = _run(world, world.store_task(), ExecutionStatus.SUCCESS)
    answer = world.call("GET", _path(execution, ":stream"))
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text.startswith("data: {")
    assert answer.text.endswith("}\n\n")
    assert (answer.text.count("data: "), world.pauses) == (1, [])


def test_a_stream_is_held_for_less_than_the_gateway_waits(world: World) -> None:
    execution = _run(world, world.store_task(), ExecutionStatus.PENDING)
    answer = world.call("GET", _path(execution, ":stream") + "&interval=500ms")
    assert answer.text.count("data: ") == 1
    assert '"status": "pending"' in answer.text
    assert sum(world.pauses) == 25


@pytest.mark.parametrize("interval", ["soon", "1", "-1s"])
def test_an_interval_is_a_duration(world: World, interval: str) -> None:
    execution = _run(world, world.store_task())
    answer = world.call("GET", _path(execution, ":stream") + f"&interval={interval}")
    assert answer.status == 400
