"""What the deployment's own operator keeps and sends, by the emulator."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from task_engine.aws.cursor_repository import CursorRepository
from task_engine.aws.heartbeats import OwnHeartbeats
from task_engine.aws.notice_queue import SqsNoticeQueue
from task_engine.aws.operator_repository import OperatorRepository
from task_engine.aws.own_notices import SqsNotifier
from task_engine.evm.signer import LocalSigner
from task_engine.model.shard import Shard
from task_engine.operator.cursor import Cursor, Fired, SeenBlock
from task_engine.operator.findings import Finding, Kind, Occurrence
from task_engine.operator.notice_check import read_notice
from task_engine.operator.notices import NoticeWriter

from tests.integration.world import World, an_owner
from tests.unit.operator.samples import BLOCK_HASH, CHAIN, OWNER

TASK = "01jabcdefghjkmnpqrstvwxyz0"


def cursor(block: int, revision: int) -> Cursor:
    seen = SeenBlock(block, BLOCK_HASH, (Fired(TASK, OWNER, 3, BLOCK_HASH, 1),))
    return Cursor(CHAIN, block, BLOCK_HASH, 1, 99, (seen,), revision)


def test_a_cursor_is_written_by_one_only(world: World) -> None:
    # Given two watchers of one operator
    address = an_owner()
    one, two = (CursorRepository(world.dynamo, world.settings, address) for _ in range(2))
    assert one.get(CHAIN) is None
    # When both write after the same reading
    assert one.put(cursor(5, 1), 0)
    assert not two.put(cursor(6, 1), 0)
    assert two.put(cursor(7, 2), 1)
    assert not one.put(cursor(8, 2), 1)
    # Then the first write of each revision stands, also when it comes a second time
    assert one.get(CHAIN) == cursor(7, 2)
    assert two.put(cursor(7, 2), 1)
    # And another operator has its own
    assert CursorRepository(world.dynamo, world.settings, an_owner()).get(CHAIN) is None


def test_a_full_memory_fits_into_one_item(world: World) -> None:
    fired = tuple(Fired(f"{n:026d}", OWNER, n, f"0x{n:064x}", n) for n in range(1000))
    full = replace(cursor(9, 1), recent=(SeenBlock(9, BLOCK_HASH, fired),))
    cursors = CursorRepository(world.dynamo, world.settings, an_owner())
    assert cursors.put(full, 0)
    assert cursors.get(CHAIN) == full


def test_turns_of_several_chains_share_one_row(world: World) -> None:
    # Given two processes of one operator, each with a chain
    address = an_owner()
    one, two = (
        OwnHeartbeats(world.dynamo, world.settings, lambda: address, "embedded") for _ in range(2)
    )
    one.beat(1, 100, 1_000)
    two.beat(8453, 0, 2_000)
    # When they go on
    one.beat(1, 105, 3_000)
    two.beat(8453, 7, 4_000)
    # Then the row has both chains, and when it was last heard of
    row = OperatorRepository(world.dynamo, world.settings).get(address)
    assert row is not None
    assert row.blocks == {1: 105, 8453: 7}
    assert (row.last_seen, row.registered_at, row.version) == (4_000, 1_000, "embedded")
    # And each later beat was one write
    world.operations()
    one.beat(1, 106, 5_000)
    assert world.operations() == ["UpdateItem"]
    # And a new process that knows nothing of the chain leaves what stands there
    OwnHeartbeats(world.dynamo, world.settings, lambda: address, "embedded").beat(1, 0, 6_000)
    row = OperatorRepository(world.dynamo, world.settings).get(address)
    assert row is not None
    assert row.blocks == {1: 106, 8453: 7}


def test_an_operator_with_a_part_of_the_checks_says_so(world: World) -> None:
    address = an_owner()
    names = {**world.settings.names, "OPERATOR_SHARD": "2/3"}
    settings = replace(world.settings, names=names)
    OwnHeartbeats(world.dynamo, settings, lambda: address, "embedded").beat(1, 5, 1_000)
    row = OperatorRepository(world.dynamo, settings).get(address)
    assert row is not None
    assert row.shard == Shard(1, 3)


@pytest.fixture
def queue(world: World) -> str:
    name = f"notices-{an_owner()[2:14]}"
    url: str = world.boto.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def test_notices_are_signed_and_sent_ten_at_a_time(world: World, queue: str) -> None:
    # Given 23 findings, and one that no message can hold
    signer = LocalSigner("0x" + "4c" * 32)
    settings = replace(world.settings, names={**world.settings.names, "NOTICE_QUEUE_URL": queue})
    sender = SqsNoticeQueue(world.client("sqs"), settings)
    notifier = SqsNotifier(sender, NoticeWriter(signer, world.clock))
    found = [
        Finding(Kind.BLOCK, TASK, OWNER, 1, Occurrence(CHAIN, n, f"0x{n:064x}"), {"n": n})
        for n in range(23)
    ]
    large = replace(found[0], output={"text": "x" * 300_000})
    # When they are sent
    notifier.send([*found[:5], large, *found[5:]])
    # Then three calls took all but that one
    assert world.operations() == ["SendMessageBatch"] * 3
    sqs = world.boto.client("sqs")
    bodies: list[str] = []
    while answer := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in answer]
    read = [read_notice(body, world.clock.now_ms()) for body in bodies]
    assert {notice.finding.occurrence.block_number for notice in read} == set(range(23))
    assert {notice.operator for notice in read} == {signer.address}
    assert all(json.loads(body)["signature"] for body in bodies)
