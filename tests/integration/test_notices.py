"""Notices on the real tables: parallel, doubled and contradicting ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from task_engine.aws.check_repository import CheckRepository
from task_engine.aws.operator_repository import OperatorRepository
from task_engine.aws.queue import SqsExecutionQueue
from task_engine.aws.vote_repository import VoteRepository
from task_engine.evm.signer import LocalSigner
from task_engine.model.execution import Execution
from task_engine.model.operator import Operator
from task_engine.model.paging import PageRequest
from task_engine.model.task import Task, TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notices import NoticeWriter
from task_engine.services.notice_acts import ActPorts, NoticeActs
from task_engine.services.notices import NoticeIntake, NoticePorts
from task_engine.services.operator_rules import operator_rules
from task_engine.services.signals import SignalService
from task_engine.services.triggers import TriggerPorts, TriggerService
from task_engine.services.wait_events import WaitEvents

from tests.fakes.machines import FakeWalker
from tests.fakes.waits import FakeWaits
from tests.integration.test_checks import CONTRACT, a_chain, watched_task
from tests.integration.world import World

SIGNERS = [LocalSigner(f"0x{number:064x}") for number in range(1, 4)]


@dataclass
class Desk:
    """The trigger function's intake on a world's tables; a new one is another process."""

    world: World
    quorum: int = 1

    def __post_init__(self) -> None:
        world, clock = self.world, self.world.clock
        tasks, executions = world.tasks(), world.executions()
        self.operators = OperatorRepository(world.dynamo, world.settings)
        # Other tests look into the queue that all share.
        url = world.boto.client("sqs").create_queue(QueueName="runs-of-notices")["QueueUrl"]
        names = {**world.settings.names, "EXECUTION_QUEUE_URL": url}
        queue = SqsExecutionQueue(world.client("sqs"), replace(world.settings, names=names))
        ports = TriggerPorts(tasks, executions, world.plans(), queue, FakeWalker())
        triggers = TriggerService(ports, world.settings, clock)
        checks = CheckRepository(world.dynamo, world.settings, clock)
        self.intake = NoticeIntake(
            NoticePorts(
                operators=self.operators,
                votes=VoteRepository(world.dynamo, world.settings),
                tasks=tasks,
                triggers=triggers,
                waits=WaitEvents(checks, SignalService(FakeWaits(), executions, clock)),
                clock=clock,
            ),
            NoticeActs(ActPorts(triggers, tasks, executions, clock)),
            operator_rules("*", lambda: "", quorum=self.quorum),
        )

    def register(self, chain: int, signers: Sequence[LocalSigner] = SIGNERS) -> None:
        for signer in signers:
            before = self.operators.get(str(signer.address))
            blocks = {**(before.blocks if before else {}), chain: 7}
            operator = Operator(str(signer.address), "1", self.world.clock.ms, blocks)
            self.operators.register(operator)

    def row(self, signer: LocalSigner) -> Operator:
        row = self.operators.get(str(signer.address))
        assert row is not None
        return row

    def record(self, finding: Finding, signer: LocalSigner = SIGNERS[0]) -> dict[str, Any]:
        notice = NoticeWriter(signer, self.world.clock).write(finding)
        sent = {"SentTimestamp": str(self.world.clock.ms), "ApproximateReceiveCount": "1"}
        name = f"{signer.address}/{notice['id']}"
        return {"messageId": name, "body": json.dumps(notice), "attributes": sent}

    def take(self, *records: dict[str, Any]) -> list[Any]:
        return self.intake.take(records)

    def runs(self, task: Task) -> list[Execution]:
        page = self.world.executions().page([task.id], PageRequest(limit=200))
        return list(page.rows)


def of_block(task: Task, number: int) -> Finding:
    chain = task.definition.trigger.config["chainId"]
    assert isinstance(chain, int)
    where = Occurrence(chain, number, f"0x{number:064x}")
    return Finding(Kind.BLOCK, task.id, task.owner, task.check_version, where, {"n": str(number)})


def of_log(task: Task, number: int, data: str = "0x") -> Finding:
    where = replace(
        of_block(task, number).occurrence, transaction_hash="0x" + "7a" * 32, log_index=1
    )
    output: dict[str, Any] = {"contractAddress": CONTRACT, "topics": [], "data": data}
    return Finding(Kind.EVENT, task.id, task.owner, task.check_version, where, output)


def in_parallel(world: World, records: Sequence[dict[str, Any]], processes: int) -> None:
    """Ten records a batch, by as many processes; what fails comes again."""
    waiting = list(records)
    for _ in range(10):
        batches = [waiting[start : start + 10] for start in range(0, len(waiting), 10)]
        with ThreadPoolExecutor(processes) as pool:
            answers = list(pool.map(lambda batch: Desk(world).take(*batch), batches))
        failed = {failure["itemIdentifier"] for answer in answers for failure in answer}
        waiting = [record for record in waiting if record["messageId"] in failed]
        if not waiting:
            return
    raise AssertionError(f"{len(waiting)} notices never came through")


def test_fifty_parallel_notices_run_a_task_of_five_five_times(world: World) -> None:
    # Given a task with five runs, and fifty blocks that fire it
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    task = watched_task(world, chain, interval=1, max_execution=5)
    records = [desk.record(of_block(task, number)) for number in range(50)]
    # When their notices come at once
    in_parallel(world, records, 5)
    # Then it has run five times, and is watched no longer
    runs = desk.runs(task)
    assert sorted(run.index for run in runs) == [0, 1, 2, 3, 4]
    assert desk.world.tasks().some([(task.owner, task.id)])[task.owner, task.id].watched is False


def test_a_doubled_notice_in_parallel_runs_once(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    task = watched_task(world, chain, interval=1)
    findings = [of_block(task, number) for number in range(4)]
    records = [desk.record(finding, signer) for signer in SIGNERS for finding in findings]
    in_parallel(world, records * 2, 4)
    assert sorted(str(run.trigger.data) for run in desk.runs(task)) == [
        str(finding.output) for finding in findings
    ]


def test_a_cooldown_lets_one_of_many_parallel_notices_through(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    task = watched_task(world, chain, TriggerType.EVENT, cooldown=60)
    in_parallel(world, [desk.record(of_log(task, number)) for number in range(30)], 3)
    assert len(desk.runs(task)) == 1
    # And after it the next one
    world.clock.forward(60_000)
    assert desk.take(desk.record(of_log(task, 31)), desk.record(of_log(task, 32))) == []
    assert len(desk.runs(task)) == 2


def test_two_of_three_agree_against_one_that_lies(world: World) -> None:
    desk, chain = Desk(world, quorum=2), a_chain()
    desk.register(chain)
    task = watched_task(world, chain, TriggerType.EVENT)
    truth, lie = of_log(task, 3), of_log(task, 3, "0x01")
    first, liar, third = SIGNERS
    before = desk.row(liar)
    for _ in range(2):
        assert desk.take(desk.record(lie, liar)) == []
    assert desk.take(desk.record(truth, first)) == []
    assert desk.runs(task) == []
    assert desk.take(desk.record(truth, third), desk.record(lie, liar)) == []
    [run] = desk.runs(task)
    assert run.trigger.data == truth.output
    assert desk.row(liar).rejected == before.rejected + 1
    assert desk.row(liar).disputed == before.disputed + 2


def test_what_a_reorg_took_back_is_marked_or_never_runs(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    task = watched_task(world, chain, interval=1)
    ran, late = of_block(task, 1), of_block(task, 2)
    early = desk.record(late)
    assert desk.take(desk.record(ran)) == []
    world.clock.forward(1000)
    orphans = [replace(each, kind=Kind.ORPHANED, output={}) for each in (ran, late)]
    taken_back = [desk.record(each) for each in orphans]
    assert desk.take(*taken_back, early) == []
    [run] = desk.runs(task)
    assert run.orphaned_at == world.clock.ms
    # And when the chain comes back to these blocks, they count again
    world.clock.forward(1000)
    assert desk.take(desk.record(ran), desk.record(late)) == []
    assert [run.orphaned_at for run in desk.runs(task)] == [0, 0]
    # And what took them back changes nothing when it comes a second time
    assert desk.take(*taken_back) == []
    assert [run.orphaned_at for run in desk.runs(task)] == [0, 0]


def test_an_overload_pauses_and_the_owner_reads_why(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    task = watched_task(world, chain, TriggerType.EVENT)
    where = of_block(task, 9).occurrence
    output = {"blockNumber": 9, "detected": 812, "limit": 500, "queryIndex": 0}
    overload = Finding(Kind.OVERLOAD, task.id, task.owner, task.check_version, where, output)
    assert desk.take(desk.record(overload), desk.record(of_log(task, 10))) == []
    paused = world.tasks().get(task.owner, task.id)
    assert paused is not None
    assert (paused.status, paused.note[:18]) == (TaskStatus.DISABLED, "paused: 812 events")
    assert desk.runs(task) == []
    resumed = world.tasks().set_status(paused, TaskStatus.ENABLED, world.clock.ms)
    assert resumed.note == ""
    # What was found for the check before is not run after
    assert desk.take(desk.record(of_log(task, 11))) == []
    assert desk.runs(task) == []


def test_a_row_that_can_not_be_read_poisons_its_own_notices_only(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    good, bad = (watched_task(world, chain, interval=1) for _ in range(2))
    table = world.settings.name("TABLE_TASKS")
    world.boto.client("dynamodb").update_item(
        TableName=table,
        Key={"owner": {"S": bad.owner}, "sk": {"S": f"task#{bad.id}"}},
        UpdateExpression="SET #d = :d",
        ExpressionAttributeNames={"#d": "definition"},
        ExpressionAttributeValues={":d": {"B": b"rubbish"}},
    )
    poisoned, fine = desk.record(of_block(bad, 1)), desk.record(of_block(good, 1))
    assert desk.take(poisoned, fine) == [{"itemIdentifier": poisoned["messageId"]}]
    assert len(desk.runs(good)) == 1


def test_ten_notices_take_two_calls_each_at_most(world: World) -> None:
    desk, chain = Desk(world), a_chain()
    desk.register(chain)
    tasks = [watched_task(world, chain, interval=1) for _ in range(10)]
    records = [desk.record(of_block(task, 5)) for task in tasks]
    desk.take(desk.record(of_block(tasks[0], 4)))
    world.operations()
    assert desk.take(*records) == []
    calls = Counter(world.operations())
    assert calls == {
        "GetItem": 1,
        "BatchGetItem": 1,
        "TransactWriteItems": 10,
        "SendMessageBatch": 1,
        "UpdateItem": 1,
    }


@pytest.mark.parametrize("registered", [True, False])
def test_counters_move_for_registered_operators_alone(world: World, registered: bool) -> None:
    desk, chain = Desk(world), a_chain()
    signer = LocalSigner(f"0x{chain:064x}")
    if registered:
        desk.register(chain, [signer])
    task = watched_task(world, chain, interval=2)
    records = [desk.record(of_block(task, number), signer) for number in (2, 3, 4)]
    assert desk.take(*records) == []
    assert len(desk.runs(task)) == (2 if registered else 0)
    row = desk.operators.get(str(signer.address))
    assert (row is not None) is registered
    if row is not None:
        assert (row.events, row.rejected, row.in_minute) == (3, 1, 12)
