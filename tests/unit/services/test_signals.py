"""Who may decide on a wait, and that each is decided once."""

from __future__ import annotations

import pytest
from task_engine.errors import EngineError, Forbidden, InvalidRequest, NotFound, PreconditionFailed
from task_engine.model.plan import Plan, RunClass
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerRecord, TriggerType
from task_engine.model.wait import Decision, Verdict, Wait
from task_engine.services.ports import OccurrenceLife
from task_engine.services.signals import SignalService

from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.stores import FakeExecutions, FakeTasks
from tests.fakes.waits import FakeWaits

OWNER, BOSS, STRANGER = "0xowner", "0xboss", "0xstranger"
TRIGGER = Trigger("t", "start", TriggerType.MANUAL, {})


class Desk:
    """One execution and its waits."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        tasks = FakeTasks()
        self.waits = FakeWaits()
        self.executions = FakeExecutions(tasks)
        task = Task(
            id="01k9zq2a1b3c5d7e9f1g3h5j7k", owner=OWNER, wallet="", name="",
            definition=Definition(TRIGGER, (), (), {}), status=TaskStatus.ENABLED,
            created_at=START_MS,
        )  # fmt: skip
        tasks.create(task, Plan(TRIGGER, {}, (), RunClass.STANDARD, {}), 1)
        record = TriggerRecord(TriggerType.MANUAL, None)
        self.execution = self.executions.admit(
            task, "call:1", "01k9zq3v7d2m4n6p8r0t2w4y6z", record, START_MS, OccurrenceLife(60)
        ).execution
        self.service = SignalService(self.waits, self.executions, self.clock)

    def wait(self, node: str = "a", approvers: tuple[str, ...] = (), seconds: int = 60) -> None:
        wait = Wait(
            self.execution.id, self.execution.task_id, OWNER, node, len(self.waits.rows) + 1,
            approvers, START_MS + seconds * 1000, f"token-{node}",
        )  # fmt: skip
        self.waits.open(wait, START_MS)

    def signal(self, caller: str = OWNER, decision: str = "approve", x: int = 1) -> None:
        self.service.signal(caller, self.execution.task_id, self.execution.id, decision, {"x": x})


def test_the_owner_decides_where_no_approvers_are_named() -> None:
    desk = Desk()
    desk.wait()
    desk.signal()
    (wait,) = desk.waits.of(desk.execution.id)
    assert wait.decision is not None
    assert (wait.decision.verdict, wait.decision.by) == (Verdict.APPROVE, OWNER)
    assert wait.decision.payload == {"x": 1}
    assert desk.waits.delivered == ["token-a"]


def test_only_approvers_decide_where_they_are_named() -> None:
    desk = Desk()
    desk.wait(approvers=(BOSS.upper(),))
    with pytest.raises(Forbidden):
        desk.signal(OWNER)
    desk.signal(BOSS, "reject")
    (wait,) = desk.waits.of(desk.execution.id)
    assert wait.decision is not None
    assert wait.decision.verdict is Verdict.REJECT


def test_a_stranger_sees_nothing() -> None:
    desk = Desk()
    desk.wait(approvers=(BOSS,))
    with pytest.raises(NotFound):
        desk.signal(STRANGER)
    with pytest.raises(NotFound):
        desk.service.signal(OWNER, desk.execution.task_id, "nobody", "approve")


def test_two_waits_are_decided_one_after_the_other() -> None:
    desk = Desk()
    desk.wait("a")
    desk.wait("b")
    desk.signal()
    desk.signal()
    assert desk.waits.delivered == ["token-a", "token-b"]
    with pytest.raises(PreconditionFailed):
        desk.signal(x=2)


def test_who_repeats_a_decision_because_the_answer_was_lost_is_answered_and_delivered() -> None:
    desk = Desk()
    desk.wait(approvers=(OWNER, BOSS))
    desk.signal()
    desk.signal()
    assert desk.waits.delivered == ["token-a", "token-a"]
    for caller, decision, x in ((BOSS, "approve", 1), (OWNER, "reject", 1), (OWNER, "approve", 2)):
        with pytest.raises(PreconditionFailed):
            desk.signal(caller, decision, x)
    (wait,) = desk.waits.of(desk.execution.id)
    assert wait.decision is not None
    assert (wait.decision.verdict, wait.decision.by) == (Verdict.APPROVE, OWNER)


def test_a_decision_that_was_made_though_its_call_says_otherwise_is_delivered() -> None:
    desk = Desk()
    desk.wait()
    decide = desk.waits.decide

    def answer_lost(wait: Wait, decision: Decision) -> Wait | None:
        decide(wait, decision)
        return decide(wait, decision)

    desk.waits.decide = answer_lost  # type: ignore[method-assign]
    desk.signal()
    assert desk.waits.delivered == ["token-a"]


def test_a_timeout_that_was_decided_and_not_delivered_is_delivered_by_the_next_try() -> None:
    desk = Desk()
    desk.wait(seconds=1)
    (wait,) = desk.waits.of(desk.execution.id)
    desk.waits.decide(wait, Decision(Verdict.TIMEOUT, "", START_MS + 1000))
    desk.service.time_out(desk.execution.id, "a")
    assert desk.waits.delivered == ["token-a"]


@pytest.mark.parametrize("decision", ["", "yes", "APPROVE", "timeout"])
def test_another_word_is_refused(decision: str) -> None:
    desk = Desk()
    desk.wait()
    with pytest.raises(InvalidRequest):
        desk.signal(decision=decision)
    assert desk.waits.delivered == []


def test_when_the_time_is_over_the_clock_has_decided() -> None:
    desk = Desk()
    desk.wait(seconds=60)
    desk.service.time_out(desk.execution.id, "a")
    assert desk.waits.delivered == [], "its time is not over"
    desk.clock.forward(61_000)
    with pytest.raises(EngineError):
        desk.signal()
    desk.service.time_out(desk.execution.id, "a")
    desk.service.time_out(desk.execution.id, "a")
    assert set(desk.waits.delivered) == {"token-a"}


def test_the_sweeper_tells_a_walk_again_and_ends_what_should_have_ended() -> None:
    desk = Desk()
    desk.wait("a")
    desk.wait("b", seconds=1)
    desk.signal()
    desk.clock.forward(2_000)
    desk.service.redeliver(desk.execution)
    assert desk.waits.delivered == ["token-a", "token-a", "token-b"]
