"""Turns of the built-in operator: short without checks, one at a time, told in figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from task_engine.errors import InvalidRequest, Unavailable
from task_engine.evm.failures import RpcError
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import Check
from task_engine.operator.findings import Kind
from task_engine.operator.progress import ChainProgress
from task_engine.operator.rules import WatchRules
from task_engine.operator.run_loop import ChainWatch, Pace
from task_engine.operator.watch import Look
from task_engine.services.watch_turn import ChainTurn, TurnPorts, WatchTurns

from tests.fakes.clock import FakeClock
from tests.unit.operator.samples import CHAIN, watch_blocks


@dataclass
class World:
    """One chain that is always one block further; everything a turn needs, in memory."""

    checks: tuple[Check, ...] = (watch_blocks("t", 5),)
    fails: bool = False
    taken: bool = False
    mute: bool = False
    clock: FakeClock = field(default_factory=FakeClock)
    beats: list[tuple[int, int]] = field(default_factory=list)
    held: list[tuple[str, int]] = field(default_factory=list)
    looks: int = 0
    made: int = 0

    def __post_init__(self) -> None:
        ports = TurnPorts(self._chain, self, self, self.clock, self._pause)
        self.turns = WatchTurns(ports, run_seconds=50, stage="test")

    def page(self, chain_id: int, after: str) -> CheckPage:
        return CheckPage(self.checks, (), "c", full=True)

    def look(self) -> Look:
        if self.fails:
            raise RpcError("down", may_retry=True)
        self.looks += 1
        n = self.looks
        return Look(CHAIN, head=n, first=n, last=n, behind=0, sent={Kind.BLOCK: 2})

    def beat(self, chain_id: int, block: int, now_ms: int) -> None:
        if self.mute and block:
            raise Unavailable("the table is away")
        self.beats.append((chain_id, block))

    @contextmanager
    def hold(self, name: str, seconds: int) -> Iterator[None]:
        if self.taken:
            raise Unavailable("taken")
        self.held.append((name, seconds))
        yield

    def _chain(self, chain_id: int) -> ChainTurn:
        self.made += 1
        watch = ChainWatch(self, CheckSet(chain_id), self, _Nobody())
        progress = ChainProgress(chain_id, WatchRules(), self.clock.now_ms())
        return ChainTurn(watch, progress, Pace(pause_seconds=5), 12.0)

    def _pause(self, seconds: float) -> None:
        self.clock.forward(int(seconds * 1000))


class _Nobody:
    def look(self) -> Mapping[Kind, int]:
        return {}


def figures(text: str) -> dict[str, Any]:
    documents = [json.loads(line) for line in text.splitlines() if line.startswith('{"_aws"')]
    return {
        metric["Name"]: document[metric["Name"]]
        for document in documents
        for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_without_checks_it_only_says_that_it_lives() -> None:
    world = World(checks=())
    assert world.turns.handle({"chainId": CHAIN}) == {"checks": 0}
    assert (world.looks, world.held, world.beats) == (0, [], [(CHAIN, 0)])


def test_it_watches_until_its_time_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a turn of 50 s with pauses of 5
    world = World()
    told = world.turns.handle({"chainId": CHAIN})
    # Then ten passes were made, under a lease that the next turn hardly waits for
    assert told == {
        "checks": 1,
        "block": 10,
        "behind": 0,
        "passes": 10,
        "notices": 20,
        "error": "",
    }
    assert world.held == [(f"operator:{CHAIN}", 60)]
    assert figures(capsys.readouterr().out) == {
        "OperatorLag": 0,
        "OperatorBehind": 0,
        "OperatorNotices": 20,
    }


def test_what_one_turn_knows_the_next_has(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.turns.handle({"chainId": CHAIN})
    world.turns.handle({"chainId": CHAIN})
    assert world.made == 1
    assert world.beats == [(CHAIN, 0), (CHAIN, 6), (CHAIN, 10), (CHAIN, 16)]


def test_a_heartbeat_that_fails_ends_no_turn(caplog: pytest.LogCaptureFixture) -> None:
    world = World(mute=True)
    assert world.turns.handle({"chainId": CHAIN})["passes"] == 10
    assert [record.message for record in caplog.records] == ["no heartbeat: the table is away"]


def test_without_news_no_heartbeat_follows_the_first() -> None:
    world = World(fails=True)
    world.turns.handle({"chainId": CHAIN})
    assert world.beats == [(CHAIN, 0)]


def test_checks_that_go_end_the_turn() -> None:
    world = World()
    world.clock.forward(0)

    def gone(seconds: float) -> None:
        world.clock.forward(5_000)
        world.checks = ()

    ports = TurnPorts(world._chain, world, world, world.clock, gone)
    WatchTurns(ports, run_seconds=50, stage="test").handle({"chainId": CHAIN})
    assert world.looks <= 2


def test_a_chain_that_is_watched_already_is_left_alone() -> None:
    world = World(taken=True)
    assert world.turns.handle({"chainId": CHAIN}) == {"checks": 1, "busy": True}
    assert world.looks == 0


def test_a_node_that_is_down_shows_as_lag(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a node that fails through six turns
    world = World(fails=True)
    told: Any = {}
    for _ in range(6):
        told = world.turns.handle({"chainId": CHAIN})
    # Then each turn ends in order, and the lag has grown over all of them
    assert told["error"] == "RPC_NODE_ERROR"
    assert figures(capsys.readouterr().out)["OperatorLag"] >= 300


@pytest.mark.parametrize("event", [{}, {"chainId": "1"}, {"chainId": True}, {"chainId": None}])
def test_an_event_without_a_chain_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        World().turns.handle(event)
