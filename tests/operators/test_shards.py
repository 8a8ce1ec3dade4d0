"""Checks shared out among operators: each has its part, together they have all, and a quorum is
one of those who have the same part."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from task_engine.model.shard import Shard
from task_engine.model.trigger import TriggerType

from infra_cdk.local.waiting import wait_until
from tests.operators.chain import LogChain
from tests.operators.engine import CHAIN_ID, Engine
from tests.operators.program import PATIENCE_SECONDS, Program
from tests.operators.sharing import SharingOperator

TASKS = 12


@pytest.fixture
def quorum() -> int:
    return 2


def test_each_part_takes_a_quorum_of_its_own(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given tasks for every block, and of two parts of their checks three operators: both of the
    # first, one of the second
    tasks = {engine.add_task(TriggerType.BLOCK, {"interval": 1}).id for _ in range(TASKS)}
    first, second = Shard(0, 2), Shard(1, 2)
    keys = ["0x" + f"{n:02x}" * 32 for n in (0x61, 0x62, 0x63, 0x64)]
    parts = [first, first, second, second]
    operators = [
        SharingOperator(engine, chain, tmp_path, key, part)
        for key, part in zip(keys, parts, strict=True)
    ]
    with ExitStack() as stack:
        three = [stack.enter_context(each.running()) for each in operators[:3]]
        wait_until(
            lambda: three[1].checks + three[2].checks == TASKS, "checks", PATIENCE_SECONDS, 0.1
        )
        # When a block is mined
        chain.mine()
        _told(engine, three, chain)
        # Then the tasks of the first part run, which two have told of, and no other
        ran = _ran(engine)
        assert ran < tasks
        assert len(ran) == three[0].checks == three[1].checks
        # And those of the second as soon as another one says what the third has said
        fourth = stack.enter_context(operators[3].running())
        wait_until(lambda: _ran(engine) == tasks, "all tasks", PATIENCE_SECONDS, 0.1)
        assert fourth.checks == three[2].checks == TASKS - len(ran)
    # And anybody can see who has which part
    shards = {row["address"]: row["shard"] for row in engine.operators()}
    assert shards == {each.address: str(part) for each, part in zip(operators, parts, strict=True)}


def test_the_program_takes_its_part_from_its_settings(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given a task for every block, and a program for each half of the checks
    engine.add_task(TriggerType.BLOCK, {"interval": 1})
    halves = [
        Program(
            tmp_path / part.replace("/", "-"), engine.url, {CHAIN_ID: chain.url}, key, shard=part
        )
        for part, key in (("1/2", "0x" + "71" * 32), ("2/2", "0x" + "72" * 32))
    ]
    # When both ask for what there is to watch, then one of them has it
    listed = [half.call("checks", "--json").stdout.count('"kind"') for half in halves]
    assert sorted(listed) == [0, 1]
    # And both say so when they register
    assert [half.call("register").returncode for half in halves] == [0, 0]
    assert {row["shard"] for row in engine.operators()} == {"1/2", "2/2"}


def _told(engine: Engine, operators: list[SharingOperator], chain: LogChain) -> None:
    height = chain.height()
    wait_until(
        lambda: all(each.passed(height) for each in operators), "the block", PATIENCE_SECONDS, 0.1
    )
    wait_until(engine.idle, "the notices", PATIENCE_SECONDS, 0.1)


def _ran(engine: Engine) -> set[str]:
    return {row["taskId"] for row in engine.items("EXECUTIONS")}
