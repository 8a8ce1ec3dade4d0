"""Which chains count as watched."""

from __future__ import annotations

import pytest
from task_engine.config import Limits, Settings
from task_engine.errors import ConfigurationError
from task_engine.model.operator import LIVE_MS, Operator
from task_engine.model.shard import read_shard
from task_engine.services.coverage import Coverage

from tests.fakes.clock import FakeClock

CHAIN, OTHER = 8453, 1


class Listed:
    """Operators that were all heard of just now; `reads` counts how often they are asked for."""

    def __init__(self, clock: FakeClock, *shards: str, chain: int = CHAIN) -> None:
        self.reads = 0
        self.rows = [
            Operator(
                f"0x{n}", "1", clock.now_ms(), {chain: 5}, shard=read_shard(text) or _bad(text)
            )
            for n, text in enumerate(shards)
        ]

    def all(self) -> list[Operator]:
        self.reads += 1
        return self.rows


def _bad(text: str) -> None:
    raise AssertionError(f"{text} is no shard")


def watched(*shards: str, own: str = "", own_shard: str = "", later_ms: int = 0) -> bool:
    """Whether CHAIN is, with these operators."""
    clock = FakeClock()
    listed = Listed(clock, *shards)
    clock.forward(later_ms)
    names = {"OPERATOR_CHAINS": own, "OPERATOR_SHARD": own_shard}
    coverage = Coverage(listed, Settings("t", "eu", Limits(), names=names), clock)
    found = coverage.watched(frozenset({CHAIN}))
    return found == {CHAIN}


@pytest.mark.parametrize(
    ("shards", "is_watched"),
    [
        ((), False),
        (("1/1",), True),
        (("1/2",), False),
        (("2/2", "1/2"), True),
        (("1/2", "1/2"), False),
        (("1/3", "2/3"), False),
        (("1/3", "2/3", "1/2"), False),
        (("1/3", "2/2", "2/3", "3/3"), True),
        (("1/2", "1/1"), True),
    ],
)
def test_a_chain_is_watched_when_no_part_is_left_out(
    shards: tuple[str, ...], is_watched: bool
) -> None:
    assert watched(*shards) is is_watched


def test_the_deployments_own_part_counts_with_the_others() -> None:
    assert watched(own=f"{CHAIN}")
    assert not watched(own=f"{CHAIN}", own_shard="1/2")
    assert watched("2/2", own=f"{CHAIN}", own_shard="1/2")
    assert not watched("1/2", own=f"{CHAIN}", own_shard="1/2")


def test_who_was_silent_for_long_does_not_count() -> None:
    assert watched("1/2", "2/2", later_ms=LIVE_MS)
    assert not watched("1/2", "2/2", later_ms=LIVE_MS + 1)


def test_nobody_is_asked_for_what_the_deployment_watches_itself() -> None:
    clock = FakeClock()
    listed = Listed(clock, "1/1", chain=OTHER)
    coverage = Coverage(
        listed, Settings("t", "eu", Limits(), names={"OPERATOR_CHAINS": f"{CHAIN},10"}), clock
    )
    assert coverage.watched(frozenset({CHAIN, 10})) == {CHAIN, 10}
    assert listed.reads == 0
    assert coverage.watched(frozenset({CHAIN, OTHER, 7})) == {CHAIN, OTHER}


@pytest.mark.parametrize(
    "text", ["2", "0/2", "3/2", "1/0", "1/1001", "a/b", "1/2/3", "-1/2", "²/3"]
)
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    assert read_shard(text) is None
    with pytest.raises(ConfigurationError, match="OPERATOR_SHARD"):
        watched(own_shard=text)
