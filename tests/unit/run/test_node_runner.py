"""The boundary around a processor: what is stored, what the walker is told."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from task_engine.config import Limits
from task_engine.errors import InvalidRequest, NodeError, Unavailable
from task_engine.model.execution import Outcome, StepError, StepStatus
from task_engine.model.node import NodeType, Retry
from task_engine.observability import JsonFormatter
from task_engine.processors.base import Origin
from task_engine.run.in_process import run_json
from task_engine.run.node_runner import NodeRunner
from task_engine.run.ports import Claim

from tests.unit.run.stores import RUN, ContendedRun, Watched, a_run, ports_of

EVENT: dict[str, object] = {"run": run_json(RUN), "nodeId": "n"}


def _handle(memory: ContendedRun, processor: Watched, **more: object) -> dict[str, object]:
    return dict(NodeRunner(processor, ports_of(memory)).handle({**EVENT, **more}, 60.0))


def test_a_result_is_stored_with_its_tokens() -> None:
    memory, processor = a_run(), Watched([Outcome(data=1, conditions=("yes",))])
    assert _handle(memory, processor) == {"next": "done", "tokens": ["n", "n.yes"]}
    (step,) = memory.steps("e1")
    assert (step.status, step.outcome.data, step.ordinal) == (StepStatus.SUCCESS, 1, 1)


def test_a_stored_step_is_not_run_again() -> None:
    memory, processor = a_run(), Watched()
    first = _handle(memory, processor)
    assert _handle(memory, processor) == first
    assert len(processor.seen) == 1


def test_the_scope_has_trigger_variables_and_call_time_values_over_stored_ones() -> None:
    memory, processor = a_run(data={"a": 1}), Watched()
    _handle(memory, processor)
    variables = processor.seen[0].variables
    assert variables["limit"] == 2
    assert variables["aa_sender"] == "0xabc"
    assert variables["start"] == {
        "data": {"a": 1}, "input": {"data": 1}, "headers": {"h": "1"}, "pathParams": {"p": "2"},
    }  # fmt: skip
    assert variables["context"] == {
        "status": "Enabled", "executionCount": 1, "lastRanAt": 2, "completedAt": 3,
    }  # fmt: skip
    assert variables["triggerConfig"] == {"id": "t", "name": "start", "type": "manual", "data": {}}


def test_a_node_error_fails_the_step_and_the_walk_goes_on() -> None:
    memory = a_run()
    processor = Watched([NodeError("url is required", code="MISSING_REQUIRED_FIELD")])
    assert _handle(memory, processor) == {"next": "done", "tokens": ["n"]}
    (step,) = memory.steps("e1")
    assert step.outcome.error == StepError("MISSING_REQUIRED_FIELD", "url is required")
    assert step.outcome.has_data is False


def test_an_unforeseen_error_becomes_a_neutral_failed_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory, processor = a_run(), Watched([RuntimeError("internal detail")])
    with caplog.at_level(logging.ERROR):
        assert _handle(memory, processor)["next"] == "done"
    (step,) = memory.steps("e1")
    assert step.outcome.error is not None
    assert step.outcome.error.code == "EXECUTION_ENGINE_ERROR"
    assert "internal detail" not in step.outcome.error.message
    assert "failed unexpectedly" in caplog.text
    lines = [JsonFormatter("node").format(record) for record in caplog.records]
    assert any("RuntimeError in" in line for line in lines)
    assert not any("internal detail" in line for line in lines)


def test_secrets_are_masked_in_data_log_and_error() -> None:
    memory = a_run(secrets={"TOKEN": "hunter2-hunter2"})
    outcome = Outcome(
        data={"echo": "Bearer hunter2-hunter2"},
        log="used hunter2-hunter2",
        error=StepError("INVALID_REQUEST", "bad hunter2-hunter2"),
    )
    _handle(memory, Watched([outcome]))
    (step,) = memory.steps("e1")
    assert "hunter2" not in repr(step)
    assert step.outcome.data == {"echo": "Bearer [secret]"}


def test_a_claim_of_another_walk_is_waited_for() -> None:
    memory, processor = a_run(), Watched()
    memory.granted = Claim(attempt=1, held_ms=7_500)
    answer = _handle(memory, processor)
    assert (answer["next"], answer["waitSeconds"]) == ("retry", 7)
    assert processor.seen == []


def test_an_interrupted_attempt_is_repeated_when_that_is_harmless() -> None:
    memory, processor = a_run(), Watched(safe=True)
    memory.granted = Claim(attempt=2, interrupted=True)
    assert _handle(memory, processor)["next"] == "done"
    assert len(processor.seen) == 1


def test_an_interrupted_attempt_that_may_have_had_an_effect_is_not_repeated() -> None:
    memory, processor = a_run(), Watched(safe=False)
    memory.granted = Claim(attempt=2, interrupted=True)
    assert _handle(memory, processor) == {"next": "done", "tokens": ["n"]}
    assert processor.seen == []
    (step,) = memory.steps("e1")
    assert step.outcome.error is not None
    assert "may have taken effect" in step.outcome.error.message


def test_a_retryable_failure_is_retried_with_growing_waits_then_stored() -> None:
    memory = a_run(retry=Retry(max_attempts=3, backoff_seconds=2))
    again = Outcome(has_data=False, error=StepError("RPC_NODE_ERROR", "down", retryable=True))
    processor = Watched([again, again, again])
    waits = [_handle(memory, processor).get("waitSeconds") for _ in range(2)]
    assert waits == [2, 4]
    assert memory.steps("e1") == []
    assert memory.released == 2
    assert _handle(memory, processor)["next"] == "done"
    (step,) = memory.steps("e1")
    assert (step.status, step.attempt) == (StepStatus.FAILED, 3)


def test_nodes_on_chain_are_tried_again_unasked_when_the_chain_is_away() -> None:
    memory = a_run(kind=NodeType.CONTRACT_READ)
    again = Outcome(has_data=False, error=StepError("RPC_NODE_ERROR", "down", retryable=True))
    processor = Watched([again] * 5)
    waits = [_handle(memory, processor).get("waitSeconds") for _ in range(5)]
    assert waits == [2, 4, 8, 16, None]


def test_a_node_that_has_not_ended_is_run_again_and_knows_for_which_execution() -> None:
    # Given a node whose work goes on elsewhere at first
    memory, processor = a_run(), Watched([Outcome(wait_seconds=9), Outcome(data="there")])
    # When it is invoked twice
    first = _handle(memory, processor)
    assert (first["next"], first["waitSeconds"]) == ("retry", 9)
    assert (memory.steps("e1"), memory.released) == ([], 1)
    # Then the second invocation ends it, under the same execution
    assert _handle(memory, processor)["next"] == "done"
    assert [scope.origin for scope in processor.seen] == [Origin("e1", "t1", RUN.owner)] * 2


@pytest.mark.parametrize("policy", [None, Retry(max_attempts=1)])
def test_storage_that_is_away_for_a_moment_fails_no_node_that_may_be_run_again(
    policy: Retry | None,
) -> None:
    # Given a write that was sent and has been looked for more often than failures are tried again
    memory = a_run(kind=NodeType.CONTRACT_WRITE, retry=policy)
    gone = Unavailable("throttled")
    processor = Watched([*[Outcome(wait_seconds=1)] * 7, gone, gone, Outcome(data="sent")])
    for _ in range(7):
        assert _handle(memory, processor)["next"] == "retry"
    # When storage is away for two looks
    first = _handle(memory, processor)
    second = _handle(memory, processor, tries=first["tries"])
    # Then the walker waits longer each time, and the next look tells what became of it
    assert [answer["waitSeconds"] for answer in (first, second)] == [2, 4]
    assert _handle(memory, processor, tries=second["tries"])["next"] == "done"
    (step,) = memory.steps("e1")
    assert (step.status, step.outcome.data) == (StepStatus.SUCCESS, "sent")


def test_storage_that_is_away_fails_what_may_not_be_run_again() -> None:
    memory, processor = a_run(), Watched([Unavailable("throttled")], safe=False)
    assert _handle(memory, processor)["next"] == "done"
    (step,) = memory.steps("e1")
    assert step.outcome.error == StepError("STORAGE_UNAVAILABLE", "throttled", retryable=True)


def test_a_failure_that_is_not_retryable_is_stored_at_once() -> None:
    memory = a_run(retry=Retry(max_attempts=3))
    processor = Watched([Outcome(has_data=False, error=StepError("INVALID_REQUEST", "no"))])
    assert _handle(memory, processor)["next"] == "done"
    assert len(memory.steps("e1")) == 1


def test_storage_that_is_away_makes_the_walker_wait_then_gives_up() -> None:
    memory, processor = a_run(), Watched()
    memory.out_of_reach = 10
    answer = _handle(memory, processor)
    assert (answer["next"], answer["tries"]) == ("retry", 1)
    with pytest.raises(Unavailable):
        _handle(memory, processor, tries=4)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"run": 5, "nodeId": "n"},
        {"run": {"executionId": "e"}, "nodeId": "n"},
        {"run": run_json(RUN)},
    ],
)
def test_a_payload_that_is_none_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        NodeRunner(Watched(), ports_of(a_run())).handle(event, 60.0)


def test_every_invocation_has_its_own_budget_of_calls() -> None:
    # Given a limit of three calls of chains
    memory, processor = a_run(), Watched([Outcome(wait_seconds=1)])
    ports = replace(ports_of(memory), limits=Limits(max_chain_calls=3))
    runner = NodeRunner(processor, ports)
    # When a node is invoked twice
    assert [runner.handle(EVENT, 60.0)["next"] for _ in range(2)] == ["retry", "done"]
    # Then each time it may make three
    for scope in processor.seen:
        scope.calls.spend(3)
        with pytest.raises(NodeError, match="0 of 3 are left"):
            scope.child({}).calls.spend(1)
