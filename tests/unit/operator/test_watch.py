"""One pass after another over a chain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.errors import Unavailable
from task_engine.evm.failures import RpcError
from task_engine.operator.cursor import cursor_from_json, cursor_to_json
from task_engine.operator.findings import Finding, Kind
from task_engine.operator.log_query import MAX_ADDRESSES, too_large, union_filter

from tests.fakes.chain import Emitted
from tests.unit.operator.samples import (
    OTHER,
    SECOND_TOKEN,
    TOKEN,
    TRANSFER,
    WALLET,
    watch_blocks,
    watch_events,
    word,
)
from tests.unit.operator.world import Watched, emitted_transfer

TRANSFERS = {"addresses": [TOKEN], "topics": [TRANSFER]}
EMITTED = emitted_transfer(TOKEN, OTHER, WALLET, 5)


def test_look_when_there_are_no_checks_then_nothing_is_asked_and_nothing_written() -> None:
    world = Watched()
    world.mine(3)

    look = world.look()

    assert world.chain.round_trips == 0
    assert world.cursors.writes == 0
    assert look.last < look.first


def test_look_when_no_block_is_new_then_one_call_is_all() -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    calls, writes = world.chain.calls.total(), world.cursors.writes

    world.look()

    assert world.chain.calls.total() == calls + 1
    assert world.cursors.writes == writes


@pytest.mark.parametrize("confirmations", [0, 2])
def test_look_when_one_block_is_new_then_its_logs_are_asked_for_once_and_by_hash(
    confirmations: int,
) -> None:
    world = Watched(
        watch_events("a", TRANSFERS), watch_events("b", TRANSFERS), confirmations=confirmations
    )
    world.mine(3)
    world.catch_up()
    world.chain.calls.clear()
    world.chain.round_trips = 0
    world.chain.mine(EMITTED)

    world.look()

    assert world.chain.calls["eth_getLogs"] == 1
    assert world.chain.round_trips == 2
    assert len(world.sent(Kind.EVENT)) == (2 if confirmations == 0 else 0)
    world.mine(2)
    world.catch_up()
    assert len(world.sent(Kind.EVENT)) == 2


def test_look_when_intervals_differ_then_each_fires_at_its_own_multiples() -> None:
    world = Watched(*(watch_blocks(f"every {n}", n) for n in (1, 4, 6, 15)))
    for blocks in (1, 7, 2, 31, 5):
        world.mine(blocks)
        world.catch_up()

    for interval in (1, 4, 6, 15):
        expected = [n for n in range(47) if n % interval == 0]
        assert world.numbers(f"every {interval}") == expected


def test_look_when_block_fires_then_it_gives_the_block() -> None:
    world = Watched(watch_blocks("t", 2))
    world.mine(2)
    world.catch_up()

    block, finding = world.chain.blocks[2], world.sent(Kind.BLOCK)[-1]

    assert finding.occurrence.name == f"31337:{block.hash}"
    assert finding.output == {
        "blockNumber": 2,
        "blockHash": block.hash,
        "timestamp": block.timestamp,
        "parentHash": block.parent,
        "difficulty": "0",
        "gasLimit": 30_000_000,
        "gasUsed": 0,
    }


def test_look_when_away_for_long_then_only_the_last_firings_are_made_up_for() -> None:
    world = Watched(watch_blocks("t", 2), watch_blocks("u", 9), max_firings=3, max_span=7)
    world.catch_up()
    world.mine(40)

    looks = world.catch_up()

    assert world.numbers("t") == [0, 36, 38, 40]
    assert world.numbers("u") == [0, 18, 27, 36]
    assert sum(look.firings_left_out for look in looks) == (20 - 3) + (4 - 3)


def test_look_when_away_for_longer_than_the_bound_then_the_gap_is_told() -> None:
    world = Watched(watch_events("t", TRANSFERS), max_backfill=10)
    world.catch_up()
    for _ in range(25):
        world.chain.mine(EMITTED)

    looks = world.catch_up()

    assert [skipped for look in looks for skipped in look.skipped] == [(1, 15)]
    assert world.numbers("t", Kind.EVENT) == list(range(16, 26))


def test_look_when_check_came_after_a_block_then_that_block_is_none_of_its_business() -> None:
    world = Watched(watch_events("old", TRANSFERS))
    world.catch_up()
    world.chain.mine(EMITTED)
    world.clock.forward(60_000)
    late = replace(watch_events("late", TRANSFERS), since_ms=world.clock.now_ms())
    world.set_checks(watch_events("old", TRANSFERS), late)
    world.chain.mine(EMITTED)

    world.catch_up()

    assert world.numbers("old", Kind.EVENT) == [1, 2]
    assert world.numbers("late", Kind.EVENT) == [2]


def test_look_when_first_check_comes_to_an_idle_chain_then_watch_begins_with_it() -> None:
    world = Watched(watch_events("old", TRANSFERS))
    world.catch_up()
    world.set_checks()
    for _ in range(100):
        world.chain.mine(EMITTED)
    world.clock.forward(600_000)
    first = replace(watch_events("new", TRANSFERS), since_ms=world.clock.now_ms())
    world.chain.mine(EMITTED)
    world.set_checks(first)

    looks = world.catch_up()

    assert world.numbers("new", Kind.EVENT) == [101]
    assert not any(look.skipped for look in looks)


def test_look_when_chains_clock_is_slow_then_new_blocks_fire_all_the_same() -> None:
    world = Watched()
    world.chain.mine(EMITTED)
    world.clock.forward(10**9)
    check = replace(watch_events("t", TRANSFERS), since_ms=world.clock.now_ms())
    world.set_checks(check)
    world.look()
    ahead = world.clock.ms
    world.clock.ms -= 10**9
    world.chain.mine(EMITTED)
    world.clock.ms = ahead + 5000

    world.catch_up()

    assert world.numbers("t", Kind.EVENT) == [2]


def test_look_when_task_is_not_started_or_over_then_it_is_not_bothered() -> None:
    world = Watched()
    now = world.clock.now_ms()
    world.set_checks(
        replace(watch_blocks("soon", 1), start_at=now + 10**6),
        replace(watch_blocks("over", 1), expired_at=now - 1),
        replace(watch_events("later", TRANSFERS), start_at=now + 10**6),
        watch_blocks("runs", 1),
    )
    world.chain.mine(EMITTED)

    world.catch_up()

    assert {finding.check_id for finding in world.inbox.findings} == {"runs"}


def test_look_when_notices_can_not_be_sent_then_the_cursor_stays() -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    stored = dict(world.cursors.stored or {})
    world.chain.mine(EMITTED, EMITTED)

    def refuse(finding: Finding) -> None:
        if finding.occurrence.log_index == 1:
            raise Unavailable("the queue is away")

    world.inbox.before = refuse
    with pytest.raises(Unavailable):
        world.look()
    assert world.cursors.stored == stored
    world.inbox.before = lambda _finding: None
    world.watcher = world.fresh()
    world.look()
    assert [f.occurrence.log_index for f in world.sent(Kind.EVENT)] == [0, 0, 1]


def test_look_when_block_is_exchanged_then_its_firings_are_taken_back_and_made_anew() -> None:
    world = Watched(watch_events("t", TRANSFERS), watch_blocks("b", 2))
    for _ in range(4):
        world.look()
        world.mine(1)
    world.chain.blocks.pop()
    world.chain.mine(EMITTED)
    world.look()
    gone = world.chain.blocks[2:]
    world.chain.reorg(3)
    world.chain.mine()
    world.chain.mine(EMITTED)
    world.chain.mine()

    look = world.look()

    assert look.reorg_depth == 3
    assert not look.reorg_unbounded
    back = [(f.check_id, f.occurrence.block_hash) for f in world.sent(Kind.ORPHANED)]
    assert back == [("b", gone[0].hash), ("b", gone[2].hash), ("t", gone[2].hash)]
    assert world.numbers("t", Kind.EVENT) == [4, 3]
    assert world.numbers("b") == [0, 2, 4, 2, 4]
    hashes = [f.occurrence.block_hash for f in world.sent(Kind.BLOCK)]
    assert hashes[-2:] == [world.chain.blocks[2].hash, world.chain.blocks[4].hash]


def test_look_when_chain_got_shorter_then_it_steps_back_at_once() -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.mine(6)
    for _ in range(6):
        world.look()
    world.chain.reorg(5)
    world.chain.mine(EMITTED)
    world.chain.mine(EMITTED)

    world.catch_up()

    assert world.numbers("t", Kind.EVENT) == [2, 3]


def test_look_when_node_lags_then_nothing_is_taken_back() -> None:
    world = Watched(watch_blocks("b", 1))
    world.mine(4)
    world.catch_up()
    ahead = world.chain.blocks.pop()

    look = world.look()

    assert (look.reorg_depth, look.last < look.first) == (0, True)
    world.chain.blocks.append(ahead)
    world.mine(1)
    world.catch_up()
    assert world.numbers("b") == [0, 1, 2, 3, 4, 5]
    assert not world.sent(Kind.ORPHANED)


def test_look_when_reorg_is_deeper_than_memory_then_64_blocks_are_watched_again() -> None:
    world = Watched(watch_blocks("b", 1), first_look_back_ms=10**9)
    world.mine(200)
    world.catch_up()
    world.chain.reorg(150)
    world.mine(151)

    look, *_ = world.catch_up()

    assert look.reorg_unbounded
    assert look.reorg_depth == 64
    assert world.numbers("b")[-65:] == list(range(137, 202))


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 9])
def test_look_when_another_node_lags_then_no_log_of_the_newest_blocks_is_lost(blocks: int) -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    world.chain.lag = 3
    for _ in range(blocks):
        world.chain.mine(EMITTED)

    world.catch_up()

    assert world.numbers("t", Kind.EVENT) == list(range(1, blocks + 1))


def test_look_when_a_range_has_too_many_logs_then_it_is_halved() -> None:
    world = Watched(watch_events("t", TRANSFERS), max_span=16)
    world.catch_up()
    for _ in range(40):
        world.chain.mine(EMITTED, EMITTED)
    world.chain.max_logs = 6

    world.catch_up()

    assert world.numbers("t", Kind.EVENT) == [n for n in range(1, 41) for _ in "ab"]


def test_look_when_one_block_has_too_many_logs_then_receipts_are_read() -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    world.chain.max_logs = 2
    other = Emitted(SECOND_TOKEN, (TRANSFER, word(1), word(2)), word(3))
    world.chain.mine(EMITTED, other, EMITTED, EMITTED)

    world.look()

    assert world.chain.calls["eth_getBlockReceipts"] == 1
    assert [f.occurrence.log_index for f in world.sent(Kind.EVENT)] == [0, 2, 3]


def test_look_when_check_is_overloaded_then_it_alone_is_charged() -> None:
    greedy = watch_events("greedy", {"topics": [TRANSFER], "maxEventsPerBlock": 2})
    world = Watched(greedy, watch_events("modest", TRANSFERS))
    other = emitted_transfer(SECOND_TOKEN, OTHER, WALLET, 1)
    world.chain.mine(EMITTED, other, other)
    world.chain.mine(EMITTED)

    world.catch_up()

    assert world.numbers("greedy", Kind.EVENT) == [2]
    assert world.numbers("modest", Kind.EVENT) == [1, 2]
    (overload,) = world.sent(Kind.OVERLOAD)
    assert overload.check_id == "greedy"
    assert overload.output == {"blockNumber": 1, "detected": 3, "limit": 2, "queryIndex": 0}
    assert overload.occurrence.block_hash == world.chain.blocks[1].hash


def test_look_when_task_cools_down_then_one_event_of_a_block_is_told() -> None:
    world = Watched(watch_events("t", TRANSFERS, cooldownSeconds=60))
    world.chain.mine(EMITTED, EMITTED)
    world.chain.mine(EMITTED)

    world.catch_up()

    told = [(f.occurrence.block_number, f.occurrence.log_index) for f in world.sent(Kind.EVENT)]
    assert told == [(1, 0), (2, 0)]


def test_look_when_another_watcher_was_faster_then_it_says_so_and_goes_on_from_there() -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    other = world.fresh()
    world.chain.mine(EMITTED)
    assert not other.look().lost

    assert world.look().lost

    world.chain.mine(EMITTED)
    assert world.look().first == 2


@pytest.mark.parametrize("answer", [None, {}, "0x", [{"address": TOKEN}], [{"topics": None}], [5]])
def test_look_when_node_answers_nonsense_then_no_block_is_passed_over(answer: object) -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    stored = dict(world.cursors.stored or {})
    world.chain.mine(EMITTED)
    world.chain.forced["eth_getLogs"] = answer

    with pytest.raises(RpcError) as failure:
        world.look()

    assert failure.value.may_retry
    assert world.cursors.stored == stored


def test_look_when_checks_change_then_the_next_pass_knows() -> None:
    world = Watched(watch_events("t", TRANSFERS))
    world.catch_up()
    world.set_checks(watch_events("u", {"addresses": [SECOND_TOKEN]}))
    world.chain.mine(EMITTED, emitted_transfer(SECOND_TOKEN, OTHER, WALLET, 1))

    world.look()

    assert [(f.check_id, f.occurrence.log_index) for f in world.sent(Kind.EVENT)] == [("u", 1)]


def test_cursor_when_it_goes_through_json_then_it_stays_the_same() -> None:
    world = Watched(watch_events("t", TRANSFERS), watch_blocks("b", 1))
    world.chain.mine(EMITTED)
    world.catch_up()

    cursor = world.cursors.get(31337)

    assert cursor is not None
    assert cursor.recent[-1].fired
    assert cursor_from_json(cursor_to_json(cursor)) == cursor


def test_union_when_all_name_contracts_and_topics_then_both_stand_in_it() -> None:
    checks = [
        watch_events("a", {"addresses": [TOKEN], "topics": [TRANSFER]}),
        watch_events("b", {"addresses": [SECOND_TOKEN], "topics": [word(1), word(2)]}),
    ]

    expected = {"address": [TOKEN, SECOND_TOKEN], "topics": [sorted([TRANSFER, word(1)])]}
    assert union_filter(checks) == expected


def test_union_when_one_takes_anything_then_so_does_the_union() -> None:
    some = watch_events("a", {"addresses": [TOKEN], "topics": [TRANSFER]})

    assert union_filter([some, watch_events("b", {"topics": [TRANSFER]})]) == {
        "topics": [[TRANSFER]]
    }
    assert union_filter([some, watch_events("b", {"addresses": [TOKEN]})]) == {"address": [TOKEN]}
    assert union_filter([some, watch_events("b", {"topics": ["", TRANSFER]})]) == {}
    assert union_filter([]) is None


def test_union_when_contracts_are_too_many_then_they_are_left_out() -> None:
    addresses = [f"0x{n:040x}" for n in range(MAX_ADDRESSES + 1)]
    at_most = {"addresses": addresses[:-1], "topics": [TRANSFER]}
    more = {"addresses": addresses, "topics": [TRANSFER]}

    assert "address" in (union_filter([watch_events("a", at_most)]) or {})
    assert union_filter([watch_events("a", more)]) == {"topics": [[TRANSFER]]}


@pytest.mark.parametrize(
    "message",
    [
        "query returned more than 10000 results",
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
        "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.",
        "query exceeds max results 20000, retry with the range 6000000-6000509",
        "eth_getLogs is limited to a 10,000 range",
        "eth_getLogs is limited to 0 - 50 blocks range",
        "exceed maximum block range: 50000",
        "block range is too wide",
        "block range too large (2000), maximum allowed is 1000 blocks",
        "ranges over 10000 blocks are not supported on free plan",
        "requested range too large",
        "logs matched by query exceeds limit of 10000",
        "limit exceeded",
        "backend response too large",
        "query timeout exceeded",
    ],
)
def test_too_large_when_a_provider_says_so_then_it_is_understood(message: str) -> None:
    assert too_large(RpcError(message))


@pytest.mark.parametrize(
    "message",
    [
        "daily request count exceeded, request rate limited",
        "project ID request rate exceeded",
        "Your app has exceeded its compute units per second capacity",
        "block range extends beyond current head block",
        "execution reverted",
        "header not found",
        "Unauthorized: You must authenticate your request with an API key.",
    ],
)
def test_too_large_when_a_smaller_range_would_not_help_then_it_is_not_halved(message: str) -> None:
    assert not too_large(RpcError(message))
