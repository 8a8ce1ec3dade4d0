"""Batches of ten notices: the AWS calls of the trigger function, and its own time."""

from __future__ import annotations

import logging
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest.mock import patch

from task_engine.config import Settings
from task_engine.model.task import Task
from task_engine.model.trigger import TriggerType
from task_engine.operator.findings import Kind

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.settings import REGION
from tests.emulator import running_emulator
from tests.integration.tables import create_tables
from tests.integration.test_checks import a_chain, watched_task
from tests.integration.test_notices import SIGNERS, Desk, of_block, of_log
from tests.integration.world import World, small_limits

BATCH = 10
ROUNDS = 10
TARGET_CALLS = 2.0
Batch = list[dict[str, Any]]


def run() -> list[dict[str, object]]:
    """A row for each kind of batch: calls a notice, and ms of the function's own for ten."""
    with running_emulator() as emulator, patch.dict(os.environ, _environment(emulator.endpoint)):
        aws = LocalAws(emulator.endpoint)
        names = create_tables(aws.client("dynamodb"), "bench-")
        world = World(Settings("bench", REGION, small_limits(), names), aws)
        with _quiet():
            return [_row(world, name, make) for name, make in _KINDS.items()]


def _environment(endpoint: str) -> dict[str, str]:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, **dict.fromkeys(keys, "test")}


@contextmanager
def _quiet() -> Iterator[None]:
    """Metrics are written to standard output; not between the tables."""
    shown, sys.stdout = sys.stdout, StringIO()
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        sys.stdout = shown
        logging.disable(logging.NOTSET)


def _row(world: World, name: str, make: Any) -> dict[str, object]:
    took, calls = [], Counter[str]()
    for _ in range(ROUNDS):
        desk, records = make(world)
        world.operations()
        begun = time.perf_counter()
        failures = desk.take(*records)
        took.append(time.perf_counter() - begun)
        calls = Counter(world.operations())
        if failures:
            raise RuntimeError(f"{name}: {failures}")
    each = sum(calls.values()) / BATCH
    listed = ", ".join(f"{count} {operation}" for operation, count in sorted(calls.items()))
    return {
        "name": f"{BATCH} notices: {name}",
        "value": each,
        "unit": f"calls each, {statistics.median(took) * 1000:.1f} ms with the emulator",
        "target": f"<= {TARGET_CALLS:g}: {listed}" if name == "one each of ten tasks" else listed,
        "calls": dict(calls),
    }


def _tasks(world: World, chain: int, kind: TriggerType, count: int, **more: Any) -> list[Task]:
    return [watched_task(world, chain, kind, interval=1, **more) for _ in range(count)]


def _prepared(world: World, quorum: int = 1) -> tuple[Desk, int]:
    desk, chain = Desk(world, quorum), a_chain()
    desk.register(chain)
    warm = watched_task(world, chain, interval=1)
    desk.take(*(desk.record(of_block(warm, 1), signer) for signer in SIGNERS))
    return desk, chain


def _ten_tasks(world: World) -> tuple[Desk, Batch]:
    desk, chain = _prepared(world)
    return desk, [desk.record(of_block(t, 5)) for t in _tasks(world, chain, TriggerType.BLOCK, 10)]


def _one_task(world: World) -> tuple[Desk, Batch]:
    desk, chain = _prepared(world)
    [task] = _tasks(world, chain, TriggerType.BLOCK, 1)
    return desk, [desk.record(of_block(task, number)) for number in range(BATCH)]


def _known(world: World) -> tuple[Desk, Batch]:
    desk, records = _ten_tasks(world)
    desk.take(*records)
    return desk, records


def _cooling(world: World) -> tuple[Desk, Batch]:
    desk, chain = _prepared(world)
    task = watched_task(world, chain, TriggerType.EVENT, cooldown=60)
    desk.take(desk.record(of_log(task, 1)))
    return desk, [desk.record(of_log(task, number)) for number in range(2, 2 + BATCH)]


def _second_voice(world: World) -> tuple[Desk, Batch]:
    desk, chain = _prepared(world, quorum=2)
    tasks = _tasks(world, chain, TriggerType.BLOCK, 10)
    desk.take(*(desk.record(of_block(task, 5), SIGNERS[0]) for task in tasks))
    return desk, [desk.record(of_block(task, 5), SIGNERS[1]) for task in tasks]


def _refused(world: World) -> tuple[Desk, Batch]:
    desk, records = _ten_tasks(world)
    return desk, [{**record, "body": record["body"].replace("0x", "0X")} for record in records]


def _orphaned(world: World) -> tuple[Desk, Batch]:
    desk, chain = _prepared(world)
    tasks = _tasks(world, chain, TriggerType.BLOCK, 10)
    findings = [of_block(task, 5) for task in tasks]
    desk.take(*map(desk.record, findings))
    return desk, [
        desk.record(replace(finding, kind=Kind.ORPHANED, output={})) for finding in findings
    ]


_KINDS = {
    "one each of ten tasks": _ten_tasks,
    "all of one task": _one_task,
    "that came before": _known,
    "while the task cools down": _cooling,
    "the second voice of a quorum of two": _second_voice,
    "of blocks that have left the chain": _orphaned,
    "signed by nobody": _refused,
}
