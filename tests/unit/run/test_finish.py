"""How an execution ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.clock import SystemClock
from task_engine.errors import Corrupted
from task_engine.model.execution import Execution, ExecutionStatus, Outcome, StepError
from task_engine.run.fail_step import FailStep
from task_engine.run.finish import FinishExecution, status_of
from task_engine.run.in_process import run_json
from task_engine.run.node_runner import NodeRunner, finished_step
from task_engine.run.ports import Run

from tests.unit.run.stores import NODE, RUN, ContendedRun, Watched, a_run, ports_of


class Ends:
    """Executions and announcements in memory."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.announced: list[Execution] = []

    def get(self, task_id: str, execution_id: str) -> Execution | None:
        return self.execution

    def finish(
        self, run: Run, status: ExecutionStatus, error: str, skipped: tuple[str, ...], now_ms: int
    ) -> Execution:
        if not self.execution.status.final:
            self.execution = replace(
                self.execution, status=status, error=error, skipped=skipped, end_at=now_ms
            )
        return self.execution

    def execution_finished(self, execution: Execution) -> None:
        self.announced.append(execution)


def _finish(memory: ContendedRun) -> tuple[FinishExecution, Ends]:
    ends = Ends(memory.load(RUN, [], []).execution)
    return FinishExecution(memory, memory, ends, ends, SystemClock()), ends


def test_all_well_is_success() -> None:
    memory = a_run()
    NodeRunner(Watched(), ports_of(memory)).handle({"run": run_json(RUN), "nodeId": "n"}, 60)
    finish, ends = _finish(memory)
    assert finish.finish(RUN).status is ExecutionStatus.SUCCESS
    assert ends.execution.skipped == ()


def test_a_failed_step_fails_the_execution_and_is_named() -> None:
    error = StepError("INVALID_REQUEST", "no")
    bad = finished_step(RUN, NODE, Outcome(has_data=False, error=error), (1, 2, 1))
    assert status_of([bad]) == (ExecutionStatus.FAILED, "1 of 2 steps failed: work")


def test_a_node_that_no_token_reached_is_listed_as_skipped() -> None:
    finish, ends = _finish(a_run())
    finish.finish(RUN)
    assert ends.execution.skipped == ("n",)
    assert ends.execution.status is ExecutionStatus.SUCCESS


def test_the_end_is_set_once_and_announced_again_as_it_stands() -> None:
    finish, ends = _finish(a_run())
    finish.finish(RUN)
    again = finish.give_up(RUN, "too late")
    assert again.status is ExecutionStatus.SUCCESS
    # Whoever set it may have died before it could announce it.
    assert [e.status for e in ends.announced] == [ExecutionStatus.SUCCESS] * 2


def test_a_walk_that_failed_as_a_whole_ends_as_an_error() -> None:
    finish, ends = _finish(a_run())
    finish.give_up(RUN, "the walk was stopped by hand")
    assert ends.execution.status is ExecutionStatus.ERROR
    assert ends.execution.error == "VM execution error: the walk was stopped by hand"


def test_a_run_whose_steps_can_not_be_read_ends_when_it_is_given_up() -> None:
    memory = a_run()
    memory.unreadable = True
    finish, ends = _finish(memory)
    with pytest.raises(Corrupted):
        finish.finish(RUN)
    assert not ends.execution.status.final
    finish.give_up(RUN, "it stopped")
    assert (ends.execution.status, ends.execution.skipped) == (ExecutionStatus.ERROR, ())


def test_a_dead_function_leaves_a_failed_step_without_its_cause() -> None:
    memory = a_run()
    event = {
        "run": run_json(RUN),
        "nodeId": "n",
        "error": {"Error": "States.Timeout", "Cause": "quotes hunter2"},
    }
    answer = FailStep(memory, memory, SystemClock()).handle(event)
    assert answer == {"next": "done", "tokens": ["n"]}
    (step,) = memory.steps("e1")
    assert step.outcome.error is not None
    assert "did not answer in time" in step.outcome.error.message
    assert "hunter2" not in repr(step)


def test_a_result_that_was_stored_before_the_function_died_stands() -> None:
    memory = a_run()
    NodeRunner(Watched(), ports_of(memory)).handle({"run": run_json(RUN), "nodeId": "n"}, 60)
    event = {"run": run_json(RUN), "nodeId": "n", "error": {"Error": "Lambda.Unknown"}}
    FailStep(memory, memory, SystemClock()).handle(event)
    (step,) = memory.steps("e1")
    assert step.outcome.error is None
