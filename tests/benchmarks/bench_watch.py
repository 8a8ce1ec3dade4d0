"""How long one pass over a busy block takes, for many checks; beside asking once per check."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from random import Random
from typing import Any

from task_engine.model.json_value import JsonValue
from task_engine.operator.checks import EventCheck
from task_engine.operator.logs import read_logs
from task_engine.operator.match import Matcher

from tests.fakes.chain import Emitted
from tests.unit.operator.samples import (
    TRANSFER,
    TRANSFER_ABI,
    address_topic,
    watch_events,
    where,
    word,
)
from tests.unit.operator.world import Watched

LOGS = 400
CONTRACTS = 200
PEOPLE = 2000
ROUNDS = 15


def run() -> list[dict[str, object]]:
    """Milliseconds and calls of a pass; the logs and checks are the same for both ways."""
    rows: list[dict[str, object]] = []
    for count, target in ((1000, "≤ 10"), (10_000, "≤ 40")):
        rows += _rows(count, target)
    return rows


def _rows(count: int, target: str) -> list[dict[str, object]]:
    checks = _checks(count)
    seconds, queries, trips, hits = _pass(checks)
    name = f"{count:,} checks, {LOGS} logs"
    index = _best(lambda: Matcher(checks))
    one_each, same = _one_query_per_check(checks)
    return [
        {"name": f"{name}: one pass", "value": seconds * 1000, "unit": "ms", "target": target},
        {"name": f"{name}: eth_getLogs", "value": queries, "unit": "calls", "target": "1"},
        {"name": f"{name}: round trips, the header's included", "value": trips, "unit": "calls"},
        {"name": f"{name}: firings", "value": hits, "unit": "notices"},
        {"name": f"{name}: index, when checks change", "value": index * 1000, "unit": "ms"},
        {
            "name": f"{name}: one eth_getLogs per check, without network",
            "value": one_each * 1000,
            "unit": "ms",
            "target": f"{count:,} calls; {same} hits",
        },
    ]


def _checks(count: int) -> list[EventCheck]:
    """Transfers of one contract to or from somebody, a third of them above an amount."""
    random = Random(1)
    return [watch_events(f"t{number}", _query(random, number)) for number in range(count)]


def _query(random: Random, number: int) -> dict[str, Any]:
    person = _address(random.randrange(PEOPLE))
    query: dict[str, Any] = {
        "addresses": [_address(10**6 + random.randrange(CONTRACTS))],
        "topics": [TRANSFER, person, ""] if number % 2 else [TRANSFER, "", person],
        "contractAbi": [TRANSFER_ABI],
    }
    if number % 3 == 0:
        query["conditions"] = [where("Transfer.value", "gt", "500", "uint256")]
    if number % 10 == 0:
        query["addresses"] = []
    return query


def _block(number: int) -> list[Emitted]:
    random = Random(number)
    return [
        Emitted(
            _address(10**6 + random.randrange(CONTRACTS)),
            (
                TRANSFER,
                address_topic(_address(random.randrange(PEOPLE))),
                address_topic(_address(random.randrange(PEOPLE))),
            ),
            word(random.randrange(1000)),
        )
        for _ in range(LOGS)
    ]


def _pass(checks: list[EventCheck]) -> tuple[float, int, int, int]:
    """The best time of a pass over a new block, its calls, and what it sent."""
    world = Watched(*checks, first_look_back_ms=0)
    world.look()
    times = []
    for number in range(ROUNDS):
        world.chain.mine(*_block(number))
        world.chain.calls.clear()
        world.chain.round_trips = 0
        world.inbox.findings.clear()
        gc.collect()
        start = time.perf_counter()
        world.look()
        times.append(time.perf_counter() - start)
    calls, trips = world.chain.calls["eth_getLogs"], world.chain.round_trips
    return min(times), calls, trips, len(world.inbox.findings)


def _one_query_per_check(checks: list[EventCheck]) -> tuple[float, int]:
    """The node's own work for a filter per check, conditions after it; and the hits."""
    world = Watched()
    world.chain.mine(*_block(ROUNDS - 1))
    found = 0

    def ask() -> None:
        nonlocal found
        found = 0
        for check in checks:
            query = check.queries[0]
            asked: dict[str, JsonValue] = {"fromBlock": "0x1", "toBlock": "0x1"}
            asked["topics"] = [None if topic is None else [topic] for topic in query.topics]
            if query.addresses:
                asked["address"] = list(query.addresses)
            logs = read_logs(world.chain.call("eth_getLogs", asked))
            if logs:
                found += len(Matcher([check]).match(logs, 0).hits)

    return _best(ask, rounds=1), found


def _best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _address(number: int) -> str:
    return f"0x{number:040x}"
