"""Notices of operators: what they bring about, and what nothing comes of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from task_engine.config import Settings
from task_engine.errors import Unavailable
from task_engine.evm.signer import LocalSigner
from task_engine.ids import new_id
from task_engine.model.execution import Execution
from task_engine.model.json_value import JsonValue
from task_engine.model.operator import Operator
from task_engine.model.plan import Plan, RunClass
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerType
from task_engine.model.wait import Verdict, Wait
from task_engine.operator.checks import CheckHead, event_check, wait_check_id
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notices import NoticeWriter
from task_engine.services.notice_acts import ActPorts, NoticeActs
from task_engine.services.notices import NoticeIntake, NoticePorts
from task_engine.services.operator_rules import OperatorRules, operator_rules
from task_engine.services.signals import SignalService
from task_engine.services.triggers import TriggerPorts, TriggerService
from task_engine.services.wait_events import WaitEvents

from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.machines import FakeQueue, FakeWalker
from tests.fakes.operators import FakeChecks, FakeOperators, FakeVotes
from tests.fakes.stores import FakeExecutions, FakeTasks
from tests.fakes.waits import FakeWaits

EVENTS = Path(__file__).parents[3] / "events"
OWNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
CHAIN = 11155111
TOKEN = "0x" + "11" * 20
TOPIC = "0x" + "dd" * 32
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
FIRST, SECOND, THIRD, NOBODY = (LocalSigner("0x" + byte * 32) for byte in ("a1", "b2", "c3", "d4"))
BLOCK = {"chainId": CHAIN, "interval": 5}
EVENT: dict[str, JsonValue] = {
    "chainId": CHAIN,
    "cooldownSeconds": 0,
    "queries": [{"addresses": [TOKEN], "topics": [TOPIC]}],
}


def block_at(number: int, fork: str = "b1") -> Occurrence:
    return Occurrence(CHAIN, number, f"0x{number:062x}{fork}")


def log_at(number: int, index: int = 0) -> Occurrence:
    return Occurrence(CHAIN, number, f"0x{number:062x}b1", "0x" + "7a" * 32, index)


def log_data(where: Occurrence, **changes: JsonValue) -> dict[str, JsonValue]:
    data: dict[str, JsonValue] = {
        "eventName": "Thing",
        "contractAddress": TOKEN,
        "topics": [TOPIC],
        "blockNumber": where.block_number,
        "blockHash": where.block_hash,
        "transactionHash": where.transaction_hash,
        "logIndex": where.log_index,
        "chainId": where.chain_id,
    }
    return {**data, **changes}


@dataclass
class Desk:
    """The intake with fakes around it, and three operators that watch the chain."""

    quorum: int = 1
    per_minute: int = 1000
    clock: FakeClock = field(default_factory=FakeClock)
    tasks: FakeTasks = field(default_factory=FakeTasks)
    queue: FakeQueue = field(default_factory=FakeQueue)
    operators: FakeOperators = field(default_factory=FakeOperators)
    checks: FakeChecks = field(default_factory=FakeChecks)
    waits: FakeWaits = field(default_factory=FakeWaits)
    votes: FakeVotes = field(default_factory=FakeVotes)

    def __post_init__(self) -> None:
        self.executions = FakeExecutions(self.tasks)
        ports = TriggerPorts(self.tasks, self.executions, self.tasks, self.queue, FakeWalker())
        triggers = TriggerService(ports, Settings.from_env({}), self.clock)
        self.intake = NoticeIntake(
            NoticePorts(
                self.operators,
                self.votes,
                self.tasks,
                triggers,
                WaitEvents(self.checks, SignalService(self.waits, self.executions, self.clock)),
                self.clock,
            ),
            NoticeActs(ActPorts(triggers, self.tasks, self.executions, self.clock)),
            self._rules(),
        )
        for signer in (FIRST, SECOND, THIRD):
            self.register(signer)

    def _rules(self) -> OperatorRules:
        listed = ",".join(str(signer.address) for signer in (FIRST, SECOND, THIRD))
        return operator_rules(listed, lambda: "", quorum=self.quorum, per_minute=self.per_minute)

    def register(self, signer: LocalSigner, chain: int = CHAIN) -> None:
        self.operators.register(Operator(str(signer.address), "1", self.clock.ms, {chain: 7}))

    def row(self, signer: LocalSigner) -> Operator:
        return self.operators.rows[str(signer.address)]

    def given(self, config: dict[str, Any] | None = None, **changes: Any) -> Task:
        config = BLOCK if config is None else config
        kind = TriggerType.BLOCK if "interval" in config else TriggerType.EVENT
        trigger = Trigger("t", "tick", kind, config)
        task = Task(
            id=new_id(), owner=OWNER, wallet="0x" + "aa" * 20, name="", status=TaskStatus.ENABLED,
            definition=Definition(trigger, (), (), {}), created_at=START_MS,
            check_version=START_MS,
        )  # fmt: skip
        task = replace(task, **changes)
        self.tasks.create(task, Plan(trigger, {}, (), RunClass.EXPRESS, {}), 1000)
        return task

    def now(self, task: Task) -> Task:
        return self.tasks.rows[task.owner, task.id]

    def tell(self, finding: Finding, signer: LocalSigner = FIRST) -> dict[str, JsonValue]:
        return NoticeWriter(signer, self.clock).write(finding)

    def take(self, *documents: object, times: int = 1) -> list[str]:
        """The ids of the messages that come again."""
        records = [
            {
                "messageId": str(place),
                "body": document if isinstance(document, str) else json.dumps(document),
                "attributes": {
                    "SentTimestamp": str(self.clock.ms),
                    "ApproximateReceiveCount": str(times),
                },
            }
            for place, document in enumerate(documents)
        ]
        return [str(f["itemIdentifier"]) for f in self.intake.take(records) if isinstance(f, dict)]

    def runs(self, task: Task) -> list[Execution]:
        return [e for (task_id, _), e in self.executions.rows.items() if task_id == task.id]


def of_block(task: Task, number: int = 10, **changes: Any) -> Finding:
    where = changes.pop("where", block_at(number))
    output = {"blockNumber": where.block_number, "blockHash": where.block_hash}
    return replace(
        Finding(Kind.BLOCK, task.id, task.owner, task.check_version, where, output), **changes
    )


def of_log(task: Task, number: int = 10, index: int = 0, **changes: Any) -> Finding:
    where = log_at(number, index)
    return replace(
        Finding(Kind.EVENT, task.id, task.owner, task.check_version, where, log_data(where)),
        **changes,
    )


def test_a_block_runs_its_task_with_the_blocks_data() -> None:
    desk = Desk()
    task = desk.given()
    finding = of_block(task)
    assert desk.take(desk.tell(finding)) == []
    [execution] = desk.runs(task)
    assert execution.trigger.data == finding.output
    assert desk.queue.sent == [execution.id]
    assert (desk.row(FIRST).events, desk.row(FIRST).rejected) == (1, 0)


def test_the_payloads_of_events_are_believed() -> None:
    # Given the task that the payloads are about
    desk = Desk()
    batch = json.loads((EVENTS / "trigger/notices.json").read_text())
    block = json.loads((EVENTS / "operator/notice_block.json").read_text())["data"]
    task = desk.given(id=block["taskId"], check_version=block["version"])
    # When the batch comes
    answer = desk.intake.take(batch["Records"])
    # Then the block fires it; the event is another kind's, the last message nobody's
    assert answer == []
    assert len(desk.runs(task)) == 1
    assert desk.row(FIRST).rejected == 1


def test_of_a_batch_each_occurrence_runs_once_whoever_tells_it_how_often() -> None:
    desk = Desk()
    task = desk.given()
    notices = [desk.tell(of_block(task, n), s) for n in (10, 15) for s in (FIRST, SECOND, FIRST)]
    assert desk.take(*notices) == []
    assert desk.take(*reversed(notices), times=2) == []
    assert len(desk.runs(task)) == 2


def test_what_was_admitted_and_not_queued_is_queued_when_the_message_comes_again() -> None:
    desk = Desk()
    task = desk.given()
    notice = desk.tell(of_block(task))
    desk.queue.broken = True
    assert desk.take(notice) == ["0"]
    desk.queue.broken = False
    assert desk.take(notice, times=2) == []
    [execution] = desk.runs(task)
    assert desk.queue.sent == [execution.id]
    # And another operator's word of it queues nothing more
    assert desk.take(desk.tell(of_block(task), SECOND)) == []
    assert desk.queue.sent == [execution.id]


def test_the_last_run_of_the_budget_is_the_last() -> None:
    desk = Desk()
    task = desk.given(max_execution=2)
    assert desk.take(*(desk.tell(of_block(task, n)) for n in (5, 10, 15, 20))) == []
    assert len(desk.runs(task)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"status": TaskStatus.DISABLED},
        {"status": TaskStatus.COMPLETED},
        {"expired_at": START_MS - 1},
        {"start_at": START_MS + 1},
        {"max_execution": 1, "execution_count": 1},
        {"check_version": START_MS + 9},
    ],
)
def test_a_task_that_can_not_run_answers_without_blame(changes: dict[str, Any]) -> None:
    desk = Desk()
    task = desk.given(**changes)
    assert desk.take(desk.tell(of_block(task, version=START_MS))) == []
    assert desk.runs(task) == []
    assert desk.row(FIRST).rejected == 0


@pytest.mark.parametrize(
    ("config", "finding"),
    [
        (BLOCK, lambda t: of_block(t, 11)),
        (BLOCK, of_log),
        (BLOCK, lambda t: of_block(t, where=replace(block_at(10), chain_id=1))),
        (BLOCK, lambda t: of_block(t, owner="0x" + "99" * 20)),
        (BLOCK, lambda t: of_block(t, check_id=new_id())),
        (BLOCK, lambda t: of_block(t, version=t.check_version + 1)),
        (BLOCK, lambda t: of_block(t, output={"blockNumber": 11})),
        (BLOCK, lambda t: of_block(t, output={"blockHash": "0x" + "00" * 32})),
        (BLOCK, lambda t: of_block(t, kind=Kind.OVERLOAD)),
        (EVENT, of_block),
        (EVENT, lambda t: of_log(t, output={})),
        (EVENT, lambda t: of_log(t, output=log_data(log_at(10), contractAddress="0x" + "22" * 20))),
        (EVENT, lambda t: of_log(t, output=log_data(log_at(10), topics=[]))),
        (EVENT, lambda t: of_log(t, output=log_data(log_at(10), topics=["0x" + "ee" * 32]))),
        (EVENT, lambda t: of_log(t, output=log_data(log_at(10), logIndex=3))),
        (EVENT, lambda t: of_log(t, output=log_data(log_at(10), transactionHash="0x"))),
    ],
)
def test_what_can_not_be_an_occurrence_of_the_check_is_blamed(config: Any, finding: Any) -> None:
    desk = Desk()
    desk.register(FIRST)
    desk.operators.rows[str(FIRST.address)] = replace(desk.row(FIRST), blocks={CHAIN: 7, 1: 7})
    task = desk.given(config)
    assert desk.take(desk.tell(finding(task))) == []
    assert desk.runs(task) == []
    assert (desk.row(FIRST).events, desk.row(FIRST).rejected) == (1, 1)


STATE: dict[str, JsonValue] = {
    "chainId": CHAIN,
    "cooldownSeconds": 0,
    "queries": [{"addresses": [TOKEN], "methodCalls": [{"methodName": "latestRoundData"}]}],
}


@pytest.mark.parametrize(
    ("config", "where", "contract", "ran"),
    [
        (STATE, block_at(10), TOKEN, 1),
        (STATE, block_at(11), TOKEN, 0),
        (STATE, block_at(10), "0x" + "22" * 20, 0),
        (STATE, log_at(10), TOKEN, 0),
        (EVENT, block_at(10), TOKEN, 0),
    ],
)
def test_a_state_fires_at_the_blocks_at_which_it_is_asked_for(
    config: dict[str, JsonValue], where: Occurrence, contract: str, ran: int
) -> None:
    desk = Desk()
    task = desk.given(config)
    output: dict[str, JsonValue] = {"contractAddress": contract, "topics": [TOPIC]}
    finding = of_block(task, where=where, kind=Kind.EVENT, output=output)
    assert desk.take(desk.tell(finding), desk.tell(finding, SECOND)) == []
    assert len(desk.runs(task)) == ran
    assert desk.row(FIRST).rejected == 1 - ran


def test_a_token_transfer_is_known_by_its_fields() -> None:
    desk = Desk()
    to = "0x" + "bb" * 20
    config = {**EVENT, "queries": [{"addresses": [TOKEN], "topics": [TRANSFER, None, to]}]}
    task = desk.given(config)

    def transfer(receiver: str, index: int) -> dict[str, JsonValue]:
        where = log_at(10, index)
        data = log_data(where, eventName="Transfer", fromAddress=TOKEN, toAddress=receiver)
        del data["topics"]
        return desk.tell(of_log(task, index=index, output=data))

    assert desk.take(transfer(to, 0), transfer(TOKEN, 1)) == []
    assert len(desk.runs(task)) == 1
    assert desk.row(FIRST).rejected == 1


def _tampered(document: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {**document, "data": {**document["data"], **data}}


def test_what_nobody_has_signed_like_this_fires_nothing_and_blames_nobody() -> None:
    desk = Desk()
    task = desk.given()
    good: Any = desk.tell(of_block(task))
    bad = [
        "", "not json", "[]", "{}", "null", "[" * 5000, '{"a": NaN}',
        _tampered(good, owner="0x" + "99" * 20),
        {**good, "source": f"/operators/{SECOND.address}"},
        {key: value for key, value in good.items() if key != "signature"},
        {**good, "signature": "0x" + "11" * 65},
        {**good, "more": 1},
        {**good, "padding": "x" * 300_000},
    ]  # fmt: skip
    for document in bad:
        assert desk.take(document) == []
    assert desk.runs(task) == []
    assert {row.events for row in desk.operators.all()} == {0}


@pytest.mark.parametrize("by", [-601_000, 61_000])
def test_a_stale_or_future_notice_is_blamed_on_who_signed_it(by: int) -> None:
    desk = Desk()
    task = desk.given()
    desk.clock.ms += by
    notice = desk.tell(of_block(task))
    desk.clock.ms -= by
    assert desk.take(notice) == []
    assert desk.runs(task) == []
    assert desk.row(FIRST).rejected == 1


def test_a_notice_that_waited_in_the_queue_is_as_fresh_as_when_it_came() -> None:
    desk = Desk()
    task = desk.given()
    notice = desk.tell(of_block(task))
    record = {
        "messageId": "m",
        "body": json.dumps(notice),
        "attributes": {"SentTimestamp": str(desk.clock.ms)},
    }
    desk.clock.forward(3 * 86_400_000)
    assert desk.intake.take([record]) == []
    assert len(desk.runs(task)) == 1


def test_only_listed_and_registered_operators_of_the_chain_are_believed() -> None:
    desk = Desk()
    task = desk.given()
    del desk.operators.rows[str(SECOND.address)]
    desk.register(THIRD, chain=1)
    notices = [desk.tell(of_block(task), signer) for signer in (NOBODY, SECOND, THIRD)]
    assert desk.take(*notices) == []
    assert desk.runs(task) == []
    assert desk.row(THIRD).rejected == 1


def test_an_operator_that_sends_too_much_has_to_wait() -> None:
    # Given an operator that has used up its minute, with one notice that is worth ten
    desk = Desk(per_minute=12)
    task = desk.given()
    assert desk.take(*(desk.tell(of_block(task, n)) for n in (10, 15, 11))) == []
    # When it sends one more
    late = desk.tell(of_block(task, 20))
    assert desk.take(late) == ["0"]
    # Then others are heard, and it a minute later
    assert desk.take(desk.tell(of_block(task, 25), SECOND)) == []
    desk.clock.forward(60_000)
    assert desk.take(late) == []
    assert len(desk.runs(task)) == 4


def test_a_cooldown_is_taken_by_what_really_fires() -> None:
    desk = Desk()
    task = desk.given({**EVENT, "cooldownSeconds": 60})
    first, second, third = (desk.tell(of_log(task, n)) for n in (10, 11, 12))
    assert desk.take(first, second, first) == []
    assert len(desk.runs(task)) == 1
    desk.clock.forward(59_999)
    assert desk.take(third) == []
    desk.clock.forward(1)
    assert desk.take(third) == []
    assert len(desk.runs(task)) == 2
    assert desk.row(FIRST).rejected == 0


def test_an_overload_pauses_the_task_and_tells_its_owner() -> None:
    desk = Desk()
    task = desk.given(EVENT)
    output = {"blockNumber": 10, "detected": 812, "limit": 500, "queryIndex": 0}
    finding = Finding(Kind.OVERLOAD, task.id, OWNER, START_MS, block_at(10), output)
    later = of_log(task, 11)
    assert desk.take(desk.tell(finding), desk.tell(later), desk.tell(finding)) == []
    assert desk.now(task).status is TaskStatus.DISABLED
    assert desk.now(task).note.startswith("paused: 812 events in block 10, more than the 500")
    assert desk.runs(task) == []


def test_what_a_reorg_took_back_is_marked() -> None:
    desk = Desk()
    task = desk.given(EVENT)
    finding = of_log(task)
    orphan = Finding(Kind.ORPHANED, task.id, OWNER, START_MS, finding.occurrence)
    assert desk.take(desk.tell(finding)) == []
    desk.clock.forward(1000)
    taken_back = desk.tell(orphan)
    assert desk.take(taken_back) == []
    assert [e.orphaned_at for e in desk.runs(task)] == [desk.clock.ms]
    # And no more once the block is back
    desk.clock.forward(1000)
    assert desk.take(desk.tell(finding)) == []
    assert [e.orphaned_at for e in desk.runs(task)] == [0]
    # Also when the message that took it back comes a second time
    assert desk.take(taken_back) == []
    assert [e.orphaned_at for e in desk.runs(task)] == [0]


def test_what_is_back_on_the_chain_is_not_marked_by_a_message_that_was_overtaken() -> None:
    # Given a block that has fired, was left by the chain, and is back
    desk = Desk()
    task = desk.given(EVENT)
    finding = of_log(task)
    assert desk.take(desk.tell(finding)) == []
    desk.clock.forward(1000)
    taken_back = desk.tell(Finding(Kind.ORPHANED, task.id, OWNER, START_MS, finding.occurrence))
    desk.clock.forward(1000)
    back = desk.tell(finding)
    # When the last message is the first to come
    assert desk.take(back, taken_back) == []
    # Then the block stands
    assert [e.orphaned_at for e in desk.runs(task)] == [0]
    # Until it is left again
    desk.clock.forward(1000)
    again = Finding(Kind.ORPHANED, task.id, OWNER, START_MS, finding.occurrence)
    assert desk.take(desk.tell(again)) == []
    assert [e.orphaned_at for e in desk.runs(task)] == [desk.clock.ms]


def test_a_notice_that_comes_after_it_was_taken_back_fires_nothing() -> None:
    desk = Desk()
    task = desk.given(EVENT)
    finding = of_log(task)
    late = desk.tell(finding)
    desk.clock.forward(1000)
    orphan = Finding(Kind.ORPHANED, task.id, OWNER, START_MS, finding.occurrence)
    assert desk.take(desk.tell(orphan), late) == []
    assert desk.runs(task) == []
    desk.clock.forward(1000)
    assert desk.take(desk.tell(finding)) == []
    assert len(desk.runs(task)) == 1


def test_two_of_three_must_agree_and_the_liar_is_seen() -> None:
    # Given a stage that asks for two voices, and a liar among three
    desk = Desk(quorum=2)
    task = desk.given(EVENT)
    truth = of_log(task)
    lie = replace(truth, output=log_data(truth.occurrence, data="0x01"))
    # When the liar is first, and repeats itself
    assert desk.take(desk.tell(lie, SECOND), desk.tell(lie, SECOND)) == []
    assert desk.runs(task) == []
    # Then the others decide
    assert desk.take(desk.tell(truth, FIRST)) == []
    assert desk.runs(task) == []
    assert desk.take(desk.tell(truth, THIRD)) == []
    [execution] = desk.runs(task)
    assert execution.trigger.data == truth.output
    assert [desk.row(s).rejected for s in (FIRST, SECOND, THIRD)] == [0, 1, 0]
    assert desk.row(SECOND).disputed == 2
    # And nobody undoes it
    assert desk.take(*(desk.tell(f, s) for f in (lie, truth) for s in (SECOND, THIRD))) == []
    assert len(desk.runs(task)) == 1


def test_the_first_word_of_an_operator_counts() -> None:
    desk = Desk(quorum=2)
    task = desk.given(EVENT)
    truth = of_log(task)
    lie = replace(truth, output=log_data(truth.occurrence, data="0x01"))
    assert desk.take(desk.tell(lie), desk.tell(truth), desk.tell(truth, SECOND)) == []
    assert desk.runs(task) == []
    assert desk.row(FIRST).rejected == 1


def test_one_operator_can_not_pause_or_take_back_where_two_must_agree() -> None:
    desk = Desk(quorum=2)
    task = desk.given(EVENT)
    finding = of_log(task)
    output = {"blockNumber": 10, "detected": 812, "limit": 500, "queryIndex": 0}
    overload = Finding(Kind.OVERLOAD, task.id, OWNER, START_MS, block_at(10), output)
    orphan = Finding(Kind.ORPHANED, task.id, OWNER, START_MS, finding.occurrence)
    for signer in (FIRST, SECOND):
        assert desk.take(desk.tell(finding, signer)) == []
    for _ in range(3):
        assert desk.take(desk.tell(overload), desk.tell(orphan)) == []
    assert desk.now(task).status is TaskStatus.ENABLED
    assert [e.orphaned_at for e in desk.runs(task)] == [0]
    assert desk.take(desk.tell(overload, SECOND), desk.tell(orphan, SECOND)) == []
    assert desk.now(task).status is TaskStatus.DISABLED
    assert [e.orphaned_at for e in desk.runs(task)] == [desk.clock.ms]


def test_a_poisoned_message_comes_again_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    good, poisoned = desk.given(), desk.given()
    whole = desk.tasks.get

    def broken(owner: str, task_id: str) -> Task | None:
        if task_id == poisoned.id:
            raise ValueError("what is stored can't be read")
        return whole(owner, task_id)

    monkeypatch.setattr(desk.tasks, "get", broken)
    monkeypatch.setattr(desk.tasks, "some", lambda names: {})
    answer = desk.take(*(desk.tell(of_block(task)) for task in (poisoned, good)))
    assert answer == ["0"]
    assert len(desk.runs(good)) == 1


def test_a_throttled_table_lets_the_message_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    task = desk.given()
    notice = desk.tell(of_block(task))

    def away(*_: object) -> None:
        raise Unavailable("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(desk.executions, "admit", away)
        assert desk.take(notice) == ["0"]
    assert desk.take(notice, times=2) == []
    assert len(desk.runs(task)) == 1


@dataclass
class Waiting:
    """An execution that waits for an event."""

    desk: Desk = field(default_factory=Desk)

    def __post_init__(self) -> None:
        self.execution_id = new_id()
        wait = Wait(
            self.execution_id, new_id(), OWNER, "a 1", 3, (), START_MS + 60_000, "token", chain_id=1
        )
        self.desk.waits.open(wait, START_MS)
        name = wait_check_id(self.execution_id, "a 1")
        self.desk.checks.rows = [event_check(CheckHead(name, OWNER, 4, 4), EVENT)]
        where = log_at(10)
        self.finding = Finding(Kind.EVENT, name, OWNER, 4, where, log_data(where))

    @property
    def wait(self) -> Wait:
        return self.desk.waits.rows[self.execution_id, "a 1"]


def test_an_event_wakes_who_waits_for_it_once() -> None:
    waiting = Waiting()
    desk, finding = waiting.desk, waiting.finding
    other = replace(finding, occurrence=log_at(11), output=log_data(log_at(11)))
    assert desk.take(desk.tell(finding), desk.tell(other), desk.tell(finding, SECOND)) == []
    decision = waiting.wait.decision
    assert decision is not None
    assert (decision.verdict, decision.by) == (Verdict.APPROVE, "operator")
    assert decision.payload == finding.output


def test_another_event_and_a_late_one_wake_nobody() -> None:
    waiting = Waiting()
    desk, finding = waiting.desk, waiting.finding
    other = log_data(log_at(10), contractAddress="0x" + "22" * 20)
    wrong = [
        replace(finding, output=other),
        replace(finding, kind=Kind.ORPHANED),
        replace(finding, check_id=wait_check_id(new_id(), "a 1")),
        replace(finding, version=5),
    ]
    assert desk.take(*(desk.tell(each) for each in wrong)) == []
    desk.clock.forward(60_000)
    assert desk.take(desk.tell(finding)) == []
    assert waiting.wait.decision is None
    assert desk.waits.delivered == []


def test_two_must_agree_that_an_event_has_come() -> None:
    waiting = Waiting(Desk(quorum=2))
    assert waiting.desk.take(waiting.desk.tell(waiting.finding)) == []
    assert waiting.wait.decision is None
    assert waiting.desk.take(waiting.desk.tell(waiting.finding, SECOND)) == []
    assert waiting.wait.decision is not None
