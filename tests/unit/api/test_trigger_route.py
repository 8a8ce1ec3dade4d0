"""POST /workflows/{id}:trigger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.plan import Plan
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType

from tests.unit.api.world import START_MS, Answer, World

CRON = Trigger("t1", "start", TriggerType.CRON, {"schedules": ["0 * * * *"]})
BLOCK = Trigger("t1", "start", TriggerType.BLOCK, {"interval": 10, "chainId": 1})


def _fire(world: World, task: Task, key: str = "", **body: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    body.setdefault("triggerType", task.definition.trigger.type.value)
    return world.call("POST", f"/workflows/{task.id}:trigger", body, headers=headers)


def _record(world: World, answer: Answer) -> TriggerRecord:
    assert answer.status in (200, 202), answer.text
    return next(
        e for e in world.records.rows.values() if e.id == answer.json["executionId"]
    ).trigger


def _walks_well(world: World) -> None:
    def walk(execution: Execution, _: Plan) -> None:
        world.records.end(execution, ExecutionStatus.SUCCESS, START_MS + 40)

    world.walker.walk = walk


def test_a_run_that_is_not_waited_for_is_queued(world: World) -> None:
    answer = _fire(world, world.store_task())
    assert answer.status == 202
    assert answer.json["status"] == "pending"
    assert world.queue.sent == [answer.json["executionId"]]


def test_a_blocking_run_answers_with_its_end(world: World) -> None:
    _walks_well(world)
    answer = _fire(world, world.store_task(), isBlocking=True)
    assert answer.status == 200
    assert answer.json["status"] == "success"
    assert (answer.json["startAt"], answer.json["endAt"]) == (START_MS, START_MS + 40)
    assert not world.queue.sent


def test_a_blocking_run_that_takes_too_long_answers_that_it_is_pending(world: World) -> None:
    answer = _fire(world, world.store_task(), isBlocking=True)
    assert (answer.status, answer.json["status"]) == (202, "pending")


def test_a_blocking_run_that_waits_for_somebody_answers_at_once(world: World) -> None:
    asked: list[bool] = []

    def run(execution: Execution, plan: Plan, seconds: float, settled: Callable[[], bool]) -> bool:
        asked.append(settled())
        world.records.wait(execution)
        asked.append(settled())
        return True

    world.walker.run = run  # type: ignore[method-assign]
    answer = _fire(world, world.store_task(), isBlocking=True)
    assert (answer.status, answer.json["status"]) == (202, "waiting")
    assert asked == [False, True]


def test_a_blocking_run_without_a_walker_is_queued_instead_of_lost(world: World) -> None:
    world.walker.broken = True
    answer = _fire(world, world.store_task(), isBlocking=True)
    assert answer.status == 202
    assert world.queue.sent == [answer.json["executionId"]]


def test_a_key_runs_once_within_a_day(world: World) -> None:
    # Given a task with a budget of one run, fired with a key
    task = world.store_task(max_execution=1)
    first = _fire(world, task, key="order-7")
    # When the call is repeated, then it answers with the same execution
    again = _fire(world, task, key="order-7")
    assert again.json["executionId"] == first.json["executionId"]
    # And another key finds the budget used up
    other = _fire(world, task, key="order-8")
    assert (other.status, other.json["code"]) == (400, "TASK_EXHAUSTED")
    assert len(world.records.rows) == 1


def test_keys_are_forgotten_after_a_day_and_belong_to_one_workflow(world: World) -> None:
    task, other = world.store_task(), world.store_task()
    answers = [_fire(world, task, key="k"), _fire(world, other, key="k")]
    world.clock.forward(86_400_001)
    answers.append(_fire(world, task, key="k"))
    assert len({answer.json["executionId"] for answer in answers}) == 3


def test_a_repeated_blocking_call_does_not_walk_again(world: World) -> None:
    _walks_well(world)
    task = world.store_task()
    for _ in range(2):
        assert _fire(world, task, key="k", isBlocking=True).json["status"] == "success"
    assert len(world.walker.ran) == 1


def test_a_call_whose_queue_failed_is_completed_by_its_repetition(world: World) -> None:
    # Given a firing that was recorded but not queued
    task = world.store_task()
    world.queue.broken = True
    assert _fire(world, task, key="k").status == 503
    # When it is repeated
    world.queue.broken = False
    answer = _fire(world, task, key="k")
    # Then the one execution is queued
    assert world.queue.sent == [answer.json["executionId"]]
    assert len(world.records.rows) == 1


@pytest.mark.parametrize("key", ["a b", "x" * 256, "ü"])
def test_an_unusable_key_is_refused(world: World, key: str) -> None:
    assert _fire(world, world.store_task(), key=key).status == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": TaskStatus.DISABLED}, "TASK_DISABLED"),
        ({"status": TaskStatus.COMPLETED}, "TASK_ALREADY_COMPLETED"),
        ({"status": TaskStatus.FAILED}, "TASK_FAILED"),
        ({"max_execution": 1, "execution_count": 1}, "TASK_EXHAUSTED"),
        ({"expired_at": START_MS - 1}, "TASK_EXPIRED"),
        ({"start_at": START_MS + 1}, "TASK_NOT_STARTED"),
    ],
)
@pytest.mark.parametrize("key", ["", "k"])
def test_what_can_not_run_says_why(
    world: World, changes: dict[str, Any], code: str, key: str
) -> None:
    answer = _fire(world, world.store_task(**changes), key=key)
    assert (answer.status, answer.json["code"]) == (400, code)
    assert not world.records.rows


def test_the_calls_payload_takes_the_place_of_the_configured_one(world: World) -> None:
    # Given a manual trigger with data and headers in its configuration
    config: dict[str, Any] = {"lang": "JSON", "data": {"from": "config"}, "headers": {"a": "1"}}
    task = world.store_task(trigger=Trigger("t1", "start", TriggerType.MANUAL, config))
    sent = {"data": {"from": "call"}, "pathParams": [{"id": "7"}, {"part": "x"}]}
    # When it is fired with data and path parameters
    record = _record(world, _fire(world, task, triggerOutput=sent))
    # Then those replace the configured ones, and the rest stands
    assert record.data == {"from": "call"}
    assert record.headers == {"a": "1"}
    assert record.path_params == {"id": "7", "part": "x"}


@pytest.mark.parametrize(
    ("output", "data"),
    [
        (None, {"from": "config"}),
        ({}, {"from": "config"}),
        ({"amount": 3}, {"amount": 3}),
        ({"data": 0}, 0),
        ([1, 2], [1, 2]),
        ('{"text": 1}', '{"text": 1}'),
    ],
)
def test_the_forms_of_a_manual_payload(world: World, output: object, data: object) -> None:
    record = _record(world, _fire(world, world.store_task(), triggerOutput=output))
    assert (record.type, record.data) == (TriggerType.MANUAL, data)


@pytest.mark.parametrize("output", ["not json", "", "x" * 1_100_000, {"headers": "x"}])
def test_an_unusable_manual_payload_is_refused(world: World, output: object) -> None:
    answer = _fire(world, world.store_task(), triggerOutput=output)
    assert answer.status == 400
    assert answer.json["errors"][0]["path"].startswith("triggerOutput")
    assert not world.records.rows


@pytest.mark.parametrize("word", ["cron", "manual"])
def test_a_timed_trigger_has_the_canonical_record(world: World, word: str) -> None:
    record = _record(world, _fire(world, world.store_task(trigger=CRON), triggerType=word))
    assert record.type is TriggerType.CRON
    assert record.data == {"timestamp": START_MS, "timestampIso": "2026-01-01T00:00:00Z"}


def test_a_given_timestamp_is_kept_and_spelled_out(world: World) -> None:
    sent = {"timestamp": START_MS + 1500, "note": "x"}
    record = _record(world, _fire(world, world.store_task(trigger=CRON), triggerOutput=sent))
    assert record.data == {**sent, "timestampIso": "2026-01-01T00:00:01.500Z"}


def test_a_block_has_to_be_given(world: World) -> None:
    task = world.store_task(trigger=BLOCK)
    assert _record(world, _fire(world, task, triggerOutput={"blockNumber": 120})).data == {
        "blockNumber": 120
    }
    outputs: tuple[object, ...] = (None, {}, [], "x", 7)
    for output in outputs:
        answer = _fire(world, task, triggerOutput=output)
        assert answer.problems == {("triggerOutput", "WORKFLOWS_BAD_TRIGGER_OUTPUT")}


@pytest.mark.parametrize("stamp", [10**30, -(10**18)])
def test_an_impossible_timestamp_is_refused(world: World, stamp: int) -> None:
    task = world.store_task(trigger=CRON)
    assert _fire(world, task, triggerOutput={"timestamp": stamp}).status == 400


def test_the_type_must_be_the_tasks(world: World) -> None:
    answer = _fire(world, world.store_task(), triggerType="cron")
    assert (answer.status, answer.problems) == (
        400,
        {("triggerType", "WORKFLOWS_BAD_TRIGGER_TYPE")},
    )


def test_call_time_variables_never_change_whose_wallet_acts(world: World) -> None:
    # Given a call with a variable and settings of its own
    task = world.store_task()
    given = {"limit": 9, "settings": {"runner": "0x" + "9" * 40, "extra": True}}
    # When it is fired
    record = _record(world, _fire(world, task, triggerInput=given))
    # Then the variable is the run's, and the stored settings stand
    stored = task.definition.input_variables["settings"]
    assert isinstance(stored, dict)
    assert record.variables == {"limit": 9, "settings": {**stored, "extra": True}}


def test_all_problems_of_a_call_are_named(world: World) -> None:
    answer = _fire(
        world, world.store_task(), triggerType="cron", triggerInput={"context": 1, "state": 2}
    )
    assert answer.problems == {
        ("triggerType", "WORKFLOWS_BAD_TRIGGER_TYPE"),
        ("triggerInput.context", "WORKFLOWS_BAD_TRIGGER_INPUT"),
        ("triggerInput.state", "WORKFLOWS_BAD_TRIGGER_INPUT"),
    }
    answer = _fire(world, world.store_task(), triggerType="x", isBlocking=1, triggerInput=[], y=1)
    assert {path for path, _ in answer.problems} == {
        "triggerType",
        "isBlocking",
        "triggerInput",
        "y",
    }
