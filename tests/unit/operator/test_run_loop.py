"""Pass after pass: pauses, readings of the checks, failures, and an orderly end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from task_engine.errors import ConfigurationError, EngineError, Unavailable
from task_engine.evm.failures import RpcError
from task_engine.operator.check_codec import CheckPage
from task_engine.operator.check_set import CheckSet
from task_engine.operator.checks import Check
from task_engine.operator.findings import Kind
from task_engine.operator.progress import ChainProgress
from task_engine.operator.rereading import Rereading
from task_engine.operator.rules import WatchRules
from task_engine.operator.run_loop import ChainWatch, Pace, RunLoop
from task_engine.operator.watch import Look

from tests.fakes.clock import FakeClock
from tests.unit.operator.samples import CHAIN, watch_blocks


@dataclass
class Source:
    """Gives whole sets of checks, one a reading."""

    answers: list[tuple[Check, ...] | EngineError]
    asked: int = 0

    def page(self, chain_id: int, after: str) -> CheckPage:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, EngineError):
            raise answer
        return CheckPage(answer, (), f"c{self.asked}", full=True)


class Nothing:
    """Nobody came late."""

    def look(self) -> Mapping[Kind, int]:
        return {}


@dataclass
class Scripted:
    """A loop over a watcher that answers as told; its time passes by its pauses."""

    answers: list[Look | Exception]
    source: Source = field(default_factory=lambda: Source([(watch_blocks("t", 5),)]))
    pace: Pace = field(default_factory=lambda: Pace(pause_seconds=2, refresh_seconds=6))
    clock: FakeClock = field(default_factory=FakeClock)
    pauses: list[float] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        rules = WatchRules(confirmations=2)
        self.progress = ChainProgress(CHAIN, rules, self.clock.now_ms())
        self.checks = CheckSet(CHAIN)
        watch = ChainWatch(self, self.checks, self.source, Nothing())
        self.loop = RunLoop(watch, self.progress, self.pace, self.clock, self._pause)

    def look(self) -> Look:
        answer = self.answers[self.looks]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.forward(int(seconds * 1000))

    def run(self) -> None:
        self.loop.run(lambda: self.looks < len(self.answers))


def passed(first: int, last: int, head: int, **more: Any) -> Look:
    return Look(CHAIN, head=head, first=first, last=last, behind=head - last, **more)


def test_it_pauses_at_the_end_of_the_chain_only() -> None:
    # Given a watcher that is behind, then at the end, twice
    run = Scripted([passed(1, 10, 25), passed(11, 20, 25), passed(21, 25, 25), passed(26, 25, 25)])
    # When the loop runs
    run.run()
    # Then it waits once between the last two, and not after the last
    assert run.pauses == [2]
    figures = run.progress.figures()
    assert (figures.passes, figures.block, figures.behind, figures.head) == (4, 23, 0, 25)


def test_checks_are_read_first_and_then_every_few_seconds() -> None:
    run = Scripted([passed(n, n, n) for n in range(1, 8)])
    run.run()
    # 7 passes with 2 s between them: read at 0, 6 and 12 s
    assert run.source.asked == 3
    assert run.progress.figures().checks == 1


def test_failures_are_counted_and_waited_for_ever_longer() -> None:
    # Given a node that fails five times and then answers
    error = RpcError("down", may_retry=True)
    run = Scripted([*[error] * 5, passed(1, 3, 3), passed(4, 4, 4)])
    # When the loop runs
    run.run()
    # Then the pauses double, within their jitter, and are short again after a success
    for number, pause in enumerate(run.pauses[:5], start=1):
        longest = 0.5 * 2**number
        assert longest / 2 <= pause <= longest
    assert run.pauses[5:] == [2]
    figures = run.progress.figures()
    assert (figures.failures, figures.passes, figures.error) == (5, 2, "")


def test_pauses_after_failures_have_an_end() -> None:
    pace = Pace(most_back_off_seconds=4)
    assert all(pace.back_off(failures) <= 4 for failures in (1, 5, 50, 5000))


def test_what_no_pause_mends_is_raised() -> None:
    run = Scripted([ConfigurationError("no queue"), passed(1, 1, 1)])
    with pytest.raises(ConfigurationError):
        run.run()


def test_checks_that_cannot_be_read_again_do_not_end_the_watch() -> None:
    # Given a source that answers once only
    source = Source([(watch_blocks("t", 5),), Unavailable("throttled")])
    run = Scripted([passed(n, n, n) for n in range(1, 10)], source)
    # When the loop runs for several readings
    run.run()
    # Then every pass was made, for the checks that are known
    assert run.looks == 9
    assert source.asked > 2
    assert set(run.checks.checks) == {"t"}
    assert run.progress.figures().failures == 0


def test_without_any_checks_read_nothing_is_looked_at() -> None:
    source = Source([Unavailable("throttled")])
    run = Scripted([passed(1, 1, 1)], source)
    turns = iter([True, True, True, True, False])
    run.loop.run(lambda: next(turns))
    assert run.looks == 0
    assert run.progress.figures().failures == 2


def test_a_stop_is_seen_before_the_next_pass() -> None:
    run = Scripted([passed(1, 1, 9), passed(2, 2, 9)])
    run.loop.run(lambda: run.looks < 1)
    assert run.looks == 1
    assert run.pauses == []


def _looks() -> Iterator[tuple[Look, Callable[[Any], Any], Any]]:
    yield passed(1, 5, 5, skipped=((1, 4), (8, 8))), lambda f: f.skipped_blocks, 5
    yield passed(1, 5, 5, sent={Kind.EVENT: 3}), lambda f: dict(f.notices), {Kind.EVENT: 3}
    yield passed(1, 5, 5, reorg_depth=4), lambda f: f.reorgs, 1
    yield passed(1, 5, 5, firings_left_out=7), lambda f: f.firings_left_out, 7
    yield passed(1, 5, 5, logs=400), lambda f: f.logs, 400
    yield passed(1, 5, 5, lost=True), lambda f: f.lost, 1


@pytest.mark.parametrize(("look", "figure", "expected"), list(_looks()))
def test_what_a_pass_came_to_is_counted(
    look: Look, figure: Callable[[Any], Any], expected: object
) -> None:
    run = Scripted([look])
    run.run()
    assert figure(run.progress.figures()) == expected


def test_lag_is_time_by_blocks_or_since_it_was_last_there() -> None:
    # Given a watch that is 30 blocks behind
    run = Scripted([passed(1, 10, 40), passed(11, 40, 40), RpcError("down")])
    run.loop.run(lambda: run.looks < 1)
    now = run.clock.now_ms
    assert run.progress.figures().lag_seconds(now(), block_seconds=2) == 60
    # When it has caught up
    run.loop.run(lambda: run.looks < 2)
    assert run.progress.figures().lag_seconds(now(), block_seconds=2) == 0
    # And when its node fails from then on
    run.loop.run(lambda: run.looks < 3)
    run.clock.forward(90_000)
    assert run.progress.figures().lag_seconds(now(), block_seconds=2) >= 90


def test_the_pace_follows_the_chain() -> None:
    assert Pace.of(12).pause_seconds == 5
    assert Pace.of(2).pause_seconds == 1
    assert Pace.of(0.25).pause_seconds == 0.5


def test_all_checks_are_read_again_now_and_then() -> None:
    # Given a source that hands out pages and remembers what it was asked after
    asked: list[str] = []
    pages = {
        "": CheckPage((watch_blocks("a", 5),), (), "1", full=True, more=True),
        "1": CheckPage((watch_blocks("b", 5),), (), "2"),
        "2": CheckPage((), (), "2"),
    }

    class Pages:
        def page(self, chain_id: int, after: str) -> CheckPage:
            asked.append(after)
            return pages[after]

    clock, checks = FakeClock(), CheckSet(CHAIN)
    source = Rereading(Pages(), clock, every_seconds=60)
    # When it is read at once, soon again, and after the time is over
    checks.refresh(source)
    clock.forward(30_000)
    checks.refresh(source)
    clock.forward(30_000)
    checks.refresh(source)
    checks.refresh(source)
    # Then the whole set was read twice, page by page
    assert asked == ["", "1", "2", "", "1", "2"]
    assert set(checks.checks) == {"a", "b"}
