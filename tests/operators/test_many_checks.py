"""A thousand event checks and two hundred block checks over three hundred busy blocks, with all
that can go wrong on the way: the executions are those that the final chain calls for.

The operator is its own program, with its API over HTTP; the engine's functions run in this process
on an emulator's tables and queue, which is what a deployed stage would take minutes for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from task_engine.evm.address import Address
from task_engine.model.trigger import TriggerType

from infra_cdk.local.waiting import wait_until
from tests.operators.chain import TRANSFER, LogChain
from tests.operators.engine import CHAIN_ID, Engine
from tests.operators.node import FlakyNode
from tests.operators.program import PATIENCE_SECONDS, Program
from tests.unit.operator.samples import TRANSFER_ABI

KEY = "0x" + "6b" * 32
BLOCKS = 300
LOGS_PER_BLOCK = 12
EVENT_CHECKS = 1000
BLOCK_CHECKS = 200
OWNERS = [f"0x{n:040x}" for n in range(1, 5)]
REORG = 3


@dataclass(frozen=True)
class EventTask:
    """What a task waits for: tokens (none = any), who gets them, and more than so much."""

    id: str
    tokens: frozenset[str]
    to: str
    least: int

    def takes(self, log: dict[str, Any]) -> bool:
        """The plain rule, without an index."""
        if self.tokens and log["address"] not in self.tokens:
            return False
        topics = log["topics"]
        return (
            len(topics) == 3
            and topics[0] == TRANSFER
            and topics[2] == _topic(self.to)
            and int(log["data"], 16) > self.least
        )


def _topic(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")


class Traffic:
    """Tasks, and the blocks that are mined for them; the same for every run."""

    def __init__(self, engine: Engine, chain: LogChain) -> None:
        self.random = Random(2026)
        self.chain = chain
        self.engine = engine
        self.holders = [f"0x{self.random.randbytes(20).hex()}" for _ in range(1200)]
        self.events: list[EventTask] = []
        self.intervals: dict[str, int] = {}

    def create_tasks(self) -> None:
        for number in range(EVENT_CHECKS):
            self._event_task(number)
        for number in range(BLOCK_CHECKS):
            interval = self.random.randint(70, BLOCKS)
            owner = OWNERS[number % len(OWNERS)]
            task = self.engine.add_task(TriggerType.BLOCK, {"interval": interval}, owner)
            self.intervals[task.id] = interval

    def _event_task(self, number: int) -> None:
        to = self.random.choice(self.holders)
        tokens = [] if number % 10 == 0 else [self.random.choice(self.chain.tokens)]
        least = 500 if number % 4 == 0 else 0
        query: dict[str, Any] = {"addresses": tokens, "topics": [TRANSFER, None, to]}
        if least:
            value = {"fieldName": "Transfer.value", "operator": "gt", "value": str(least)}
            query |= {"conditions": [value], "contractAbi": [TRANSFER_ABI]}
        config = {"queries": [query], "cooldownSeconds": 0}
        task = self.engine.add_task(TriggerType.EVENT, config, OWNERS[number % len(OWNERS)])
        lower = frozenset(token.lower() for token in tokens)
        self.events.append(EventTask(task.id, lower, to, least))

    def mine(self, up_to: int) -> None:
        """Busy blocks until there are so many of them."""
        while self.chain.height() < self.chain.base + up_to:
            self.chain.mine(*(self._mint() for _ in range(LOGS_PER_BLOCK)))

    def _mint(self) -> tuple[Address, str, int]:
        token = self.random.choice(self.chain.tokens)
        return token, self.random.choice(self.holders), self.random.randint(1, 1000)

    def called_for(self) -> set[str]:
        """(task:occurrence) by the chain as it now is, found without any of the operator's code."""
        first, last = self.chain.base + 1, self.chain.height()
        found = set()
        for log in self.chain.logs(first, last):
            where = f"{log['blockHash']}:{log['transactionHash']}:{int(log['logIndex'], 16)}"
            found |= {f"{t.id}:{CHAIN_ID}:{where}" for t in self.events if t.takes(log)}
        for number, block in self.chain.headers(first, last).items():
            for task_id, interval in self.intervals.items():
                if number % interval == 0:
                    found.add(f"{task_id}:{CHAIN_ID}:{block['hash']}")
        return found


def test_executions_are_those_that_the_final_chain_calls_for(
    engine: Engine, chain: LogChain, tmp_path: Path
) -> None:
    # Given 1,200 tasks, a node that errs one time in five, and a queue that delivers every notice
    # twice and in no order
    engine.copies = 2
    traffic = Traffic(engine, chain)
    traffic.create_tasks()
    with (
        FlakyNode(chain.url, rate=0.2) as node,
        Program(tmp_path / "operator", engine.url, {CHAIN_ID: node.url}, KEY) as operator,
    ):
        # When blocks are mined, and the operator is killed in the middle of them and started again
        traffic.mine(60)
        operator.wait_for(chain.base + 30, CHAIN_ID)
        traffic.mine(120)
        operator.kill()
        traffic.mine(160)
        operator.start()
        traffic.mine(200)
        # And the chain leaves three blocks after they were told of
        operator.wait_for(chain.base + 200, CHAIN_ID)
        wait_until(engine.idle, "the notices", PATIENCE_SECONDS, 0.1)
        left = traffic.called_for()
        chain.roll_back(REORG)
        traffic.mine(230)
        operator.kill()
        operator.start()
        traffic.mine(BLOCKS)
        operator.wait_for(chain.base + BLOCKS, CHAIN_ID)
        wait_until(engine.idle, "the notices", PATIENCE_SECONDS, 0.1)
        assert operator.end() == 0
        assert node.erred > node.asked / 8
    # Then exactly what the final chain calls for has run, each once
    expected = traffic.called_for()
    standing, orphaned = _executions(engine)
    assert expected - standing == set()
    assert standing - expected == set()
    assert len(expected) > 1000
    # And what ran for the blocks that were left is marked as such
    assert orphaned == left - expected
    assert orphaned


def _executions(engine: Engine) -> tuple[set[str], set[str]]:
    """(task:occurrence) of all executions: those that stand, and those marked as orphaned."""
    executions = {row["id"]: row for row in engine.items("EXECUTIONS")}
    names = {
        row["executionId"]: row["name"] for row in engine.items("GUARDS") if "executionId" in row
    }
    assert names.keys() == executions.keys()
    orphaned = {i for i, row in executions.items() if row.get("orphanedAt")}
    return (
        {_plain(name) for i, name in names.items() if i not in orphaned},
        {_plain(names[i]) for i in orphaned},
    )


def _plain(name: str) -> str:
    """As the engine names a task's occurrence: with a slash between."""
    return name.replace("/", ":", 1)
