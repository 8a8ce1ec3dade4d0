"""What nobody else will do: expire, revive, give up; and how queued executions begin."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest
from task_engine.errors import Corrupted, Forbidden
from task_engine.model.execution import Execution, ExecutionStatus
from task_engine.model.plan import Plan, RunClass
from task_engine.model.task import CompletionReason, Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.run.finish import FinishExecution
from task_engine.run.ports import Run
from task_engine.services.gate import Gate
from task_engine.services.ports import OccurrenceLife
from task_engine.services.signals import SignalService
from task_engine.services.start import StartExecution
from task_engine.services.sweep import Sweeper, SweepPorts

from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.machines import FakeSchedules, FakeSteps, FakeWalker
from tests.fakes.stores import FakeExecutions, FakeTasks
from tests.fakes.waits import FakeWaits

TRIGGER = Trigger("t", "start", TriggerType.MANUAL, {})
PLAN = Plan(TRIGGER, {}, (), RunClass.EXPRESS, {})
TASK = Task(
    id="01k9zq2a1b3c5d7e9f1g3h5j7k", owner="0xo", wallet="0xw", name="",
    definition=Definition(TRIGGER, (), (), {}), status=TaskStatus.ENABLED, created_at=START_MS,
)  # fmt: skip


class Reviving(FakeWalker):
    """Revives until it is told that it was tried often enough; no runs of a `forbidden` task."""

    worn_out = False
    forbidden = ""

    def revive(self, execution: Execution, plan: Plan, now_ms: int) -> bool:
        if execution.task_id == self.forbidden:
            raise Forbidden("refused")
        return not self.worn_out and super().revive(execution, plan, now_ms)


@dataclass
class Yard:
    """Sweeper and starter with fakes around them."""

    clock: FakeClock = field(default_factory=FakeClock)
    tasks: FakeTasks = field(default_factory=FakeTasks)
    schedules: FakeSchedules = field(default_factory=FakeSchedules)
    walker: Reviving = field(default_factory=Reviving)
    announced: list[Execution] = field(default_factory=list)
    refused_tasks: list[Task | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.executions = FakeExecutions(self.tasks)
        self.finishing = FinishExecution(FakeSteps(), self, self, self, self.clock)  # type: ignore[arg-type]
        gate = Gate(self.tasks, self.tasks, self.finishing, self.schedules)
        self.sweeper = Sweeper(
            SweepPorts(
                self.tasks, self.executions, gate, self.schedules, self.walker,
                self.finishing, SignalService(FakeWaits(), self.executions, self.clock), self.clock,
            )
        )  # fmt: skip
        self.starter = StartExecution(self.executions, self.walker, gate)

    def plan(self, run: Run) -> Plan:
        return self.tasks.of(run.owner, run.task_id, run.version)

    def get(self, task_id: str, execution_id: str) -> Execution | None:
        return self.executions.get(task_id, execution_id)

    def finish(
        self, run: Run, status: ExecutionStatus, error: str, skipped: tuple[str, ...], now_ms: int
    ) -> Execution:
        execution = self.executions.get(run.task_id, run.execution_id)
        assert execution is not None
        return replace(self.executions.end(execution, status, now_ms), error=error)

    def refuse(self, run: Run, reason: str, now_ms: int) -> tuple[Execution, Task | None]:
        status = ExecutionStatus.FAILED if self.refused_tasks else ExecutionStatus.ERROR
        paused = self.refused_tasks.pop() if self.refused_tasks else None
        return self.finish(run, status, reason, (), now_ms), paused

    def execution_finished(self, execution: Execution) -> None:
        self.announced.append(execution)

    def given_execution(self, task: Task = TASK) -> Execution:
        if (task.owner, task.id) not in self.tasks.rows:
            self.tasks.create(task, PLAN, 10)
        record = TriggerRecord(TriggerType.MANUAL, None)
        return self.executions.admit(
            task,
            "call:1",
            "01k9zq3v7d2m4n6p8r0t2w4y6z",
            record,
            self.clock.now_ms(),
            OccurrenceLife(60),
        ).execution

    def given_one_false_start_too_many(self) -> Execution:
        """Refusing it pauses its task, which is armed."""
        execution = self.given_execution()
        self.schedules.arm(TASK)
        self.refused_tasks.append(replace(TASK, status=TaskStatus.DISABLED))
        return execution

    def start(self, *bodies: object) -> list[object]:
        records = [
            {"messageId": str(i), "body": body if isinstance(body, str) else json.dumps(body)}
            for i, body in enumerate(bodies)
        ]
        answer = self.starter.handle({"Records": records})["batchItemFailures"]
        return list(answer) if isinstance(answer, list) else []


def message(execution: Execution) -> dict[str, str]:
    return {"executionId": execution.id, "taskId": execution.task_id, "owner": execution.owner}


def test_an_idle_task_past_its_time_is_completed_as_expired() -> None:
    yard = Yard()
    task = replace(TASK, expired_at=START_MS - 1)
    yard.tasks.create(task, PLAN, 10)
    yard.schedules.arm(task)
    assert yard.sweeper.sweep()["expired"] == 1
    after = yard.tasks.get(task.owner, task.id)
    assert after is not None
    assert (after.status, after.completion_reason) == (
        TaskStatus.COMPLETED,
        CompletionReason.EXPIRED,
    )
    assert yard.schedules.armed == set()


def test_an_execution_that_is_open_too_long_is_walked_again() -> None:
    yard = Yard()
    execution = yard.given_execution()
    assert yard.sweeper.sweep()["revived"] == 0, "it is young"
    yard.clock.forward(6 * 60_000)
    assert yard.sweeper.sweep() == {"expired": 0, "revived": 1, "givenUp": 0}
    assert yard.walker.ran == [execution.id]


def test_one_that_can_not_be_looked_after_holds_up_no_other() -> None:
    # Given two that stopped, of which Step Functions refuses to hear of the first
    yard = Yard()
    first = yard.given_execution()
    second = yard.given_execution(replace(TASK, id="01k9zq2a1b3c5d7e9f1g3h5j7m"))
    yard.walker.forbidden = first.task_id
    yard.clock.forward(6 * 60_000)
    # When they are swept, then the other one is walked again
    with pytest.raises(Forbidden):
        yard.sweeper.sweep()
    assert yard.walker.ran == [second.id]


def test_one_that_was_revived_often_enough_ends_as_an_error() -> None:
    yard = Yard()
    execution = yard.given_execution()
    yard.walker.worn_out = True
    yard.clock.forward(6 * 60_000)
    assert yard.sweeper.sweep()["givenUp"] == 1
    after = yard.executions.get(execution.task_id, execution.id)
    assert after is not None
    assert after.status is ExecutionStatus.ERROR
    assert [e.id for e in yard.announced] == [execution.id]


def test_one_whose_task_was_deleted_ends_as_an_error() -> None:
    yard = Yard()
    execution = yard.given_execution()
    yard.tasks.delete(TASK.owner, TASK.id, 0)
    yard.clock.forward(6 * 60_000)
    assert yard.sweeper.sweep()["givenUp"] == 1
    after = yard.executions.get(execution.task_id, execution.id)
    assert after is not None
    assert after.status is ExecutionStatus.ERROR


def test_a_queued_execution_is_started_and_a_finished_one_is_not() -> None:
    yard = Yard()
    execution = yard.given_execution()
    assert yard.start(message(execution)) == []
    assert yard.walker.ran == [execution.id]
    yard.executions.end(execution, ExecutionStatus.SUCCESS, 1)
    assert yard.start(message(execution)) == []
    assert yard.walker.ran == [execution.id]


def test_only_bad_messages_are_delivered_again() -> None:
    yard = Yard()
    execution = yard.given_execution()
    unknown = {**message(execution), "executionId": "nobody"}
    failed = yard.start("not json", message(execution), unknown, "{}")
    assert failed == [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}, {"itemIdentifier": "3"}]
    assert yard.walker.ran == [execution.id]


def test_a_queued_execution_of_a_deleted_task_ends() -> None:
    yard = Yard()
    execution = yard.given_execution()
    yard.tasks.delete(TASK.owner, TASK.id, 0)
    assert yard.start(message(execution)) == []
    after = yard.executions.get(execution.task_id, execution.id)
    assert after is not None
    assert after.status is ExecutionStatus.ERROR


class Unreadable(FakeTasks):
    """Its plans are rubbish."""

    def of(self, owner: str, task_id: str, version: int) -> Plan:
        raise Corrupted("the stored plan can't be read")


@pytest.mark.parametrize("way", ["start", "sweep"])
def test_what_can_never_begin_fails_and_its_task_loses_its_schedules(way: str) -> None:
    # Given a task of which this is one false start too many
    yard = Yard(tasks=Unreadable())
    execution = yard.given_one_false_start_too_many()
    yard.tasks.set_status(TASK, TaskStatus.DISABLED, START_MS)
    # When it is begun
    if way == "start":
        assert yard.start(message(execution)) == []
    else:
        yard.clock.forward(6 * 60_000)
        assert yard.sweeper.sweep() == {"expired": 0, "revived": 0, "givenUp": 1}
    # Then
    [told] = yard.announced
    assert (told.status, told.error) == (ExecutionStatus.FAILED, "the stored plan can't be read")
    assert yard.walker.ran == []
    assert yard.schedules.armed == set()


def test_an_end_that_nobody_was_told_of_is_told_when_the_message_comes_again() -> None:
    # Given one that was refused by a process which died at once
    yard = Yard(tasks=Unreadable())
    execution = yard.given_one_false_start_too_many()
    yard.tasks.set_status(TASK, TaskStatus.DISABLED, START_MS)
    yard.executions.end(execution, ExecutionStatus.FAILED, 1)
    # When its message is delivered again
    assert yard.start(message(execution)) == []
    # Then
    assert [told.id for told in yard.announced] == [execution.id]
    assert yard.schedules.armed == set()


def test_a_task_that_was_resumed_meanwhile_keeps_its_schedules() -> None:
    # Given a task whose owner resumes it as soon as it was paused
    yard = Yard(tasks=Unreadable())
    execution = yard.given_one_false_start_too_many()
    # When what paused it goes on
    assert yard.start(message(execution)) == []
    # Then
    assert yard.schedules.armed == {TASK.id}


def test_what_may_pass_is_delivered_again_and_refused_by_nobody() -> None:
    yard = Yard()
    execution = yard.given_execution()
    yard.walker.broken = True
    assert yard.start(message(execution)) == [{"itemIdentifier": "0"}]
    stands = yard.executions.get(execution.task_id, execution.id)
    assert stands is not None
    assert stands.status is ExecutionStatus.PENDING
    assert yard.announced == []
