"""Checks of tasks, as JSON, and the set that an operator keeps."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.errors import InvalidRequest
from task_engine.model.shard import Shard
from task_engine.model.task import Definition, Task, TaskStatus
from task_engine.model.trigger import Trigger, TriggerType
from task_engine.operator.check_codec import (
    CheckPage,
    check_from_json,
    check_to_json,
    page_from_json,
    page_to_json,
)
from task_engine.operator.check_set import CheckSet, in_shard, shard_of
from task_engine.operator.checks import BlockCheck, Check, EventCheck, check_of

from tests.unit.operator.samples import (
    CHAIN,
    OTHER,
    OWNER,
    TOKEN,
    TRANSFER,
    TRANSFER_ABI,
    WALLET,
    address_topic,
    watch_blocks,
    watch_events,
    where,
)

QUERY: dict[str, Any] = {
    "addresses": [TOKEN.upper().replace("0X", "0x")],
    "topics": [TRANSFER, "", WALLET.upper().replace("0X", "0x"), "null"],
    "maxEventsPerBlock": 7,
    "contractAbi": [TRANSFER_ABI],
    "conditions": [where("Transfer.value", "gt", "5", "uint256")],
    "methodCalls": [
        {"methodName": "decimals", "callData": "0x313ce567", "applyToFields": ["Transfer.value"]}
    ],
}


def task(kind: TriggerType, config: dict[str, Any]) -> Task:
    trigger = Trigger("t", "start", kind, config)
    return Task(
        id="01k9zq2a1b3c5d7e9f1g3h5j7k",
        owner=OWNER,
        wallet=OTHER,
        name="x",
        definition=Definition(trigger, (), ()),
        status=TaskStatus.ENABLED,
        created_at=1000,
        version=4,
        start_at=2000,
        expired_at=3000,
    )


def test_check_when_task_has_an_event_trigger_then_it_is_normalised() -> None:
    check = check_of(task(TriggerType.EVENT, {"chainId": CHAIN, "queries": [QUERY]}))

    assert isinstance(check, EventCheck)
    query = check.queries[0]
    assert query.addresses == {TOKEN}
    assert query.topics == (TRANSFER, None, address_topic(WALLET), None)
    assert query.max_events_per_block == 7
    assert (check.version, check.since_ms, check.cooldown_seconds) == (4, 1000, 300)
    assert check.wallet == OTHER
    assert [check.in_force(ms) for ms in (1999, 2000, 3000, 3001)] == [False, True, True, False]


def test_check_when_task_has_a_block_trigger_then_it_holds_the_interval() -> None:
    check = check_of(task(TriggerType.BLOCK, {"chainId": 1, "interval": 9}), version=6, since_ms=5)

    assert isinstance(check, BlockCheck)
    assert (check.interval, check.chain_id, check.version, check.since_ms) == (9, 1, 6, 5)


def test_check_when_nobody_need_watch_the_trigger_then_there_is_none() -> None:
    assert check_of(task(TriggerType.CRON, {"schedules": []})) is None


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (TriggerType.BLOCK, {"chainId": CHAIN, "interval": 0}),
        (TriggerType.BLOCK, {"chainId": None, "interval": 5}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": []}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": [{"topics": ["{{a.b}}"]}]}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": [{"addresses": ["{{a.b}}"]}]}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": [{"addresses": [""]}]}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": [{"topics": [TRANSFER] * 5}]}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": [{"topics": TRANSFER}]}),
        (TriggerType.EVENT, {"chainId": CHAIN, "queries": ["x"]}),
    ],
)
def test_check_when_config_can_not_be_watched_then_it_is_refused(
    kind: TriggerType, config: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_of(task(kind, config))
    assert refusal.value.stable_code == "INVALID_TRIGGER_CONFIG"


@pytest.mark.parametrize(
    "check",
    [watch_events("a", QUERY, cooldownSeconds=9), watch_events("a", {}), watch_blocks("b", 3)],
)
def test_codec_when_a_check_goes_through_json_then_it_stays_the_same(check: Check) -> None:
    assert check_from_json(check_to_json(check)) == check


def test_codec_when_a_page_goes_through_json_then_it_stays_the_same() -> None:
    page = CheckPage((watch_events("a", QUERY),), ("b",), "17", full=True, more=True)

    assert page_from_json(page_to_json(page)) == page


@pytest.mark.parametrize("damage", [{"kind": "cron"}, {"id": 5}, {"version": None}, {"queries": 1}])
def test_codec_when_a_check_is_damaged_then_it_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        check_from_json({**check_to_json(watch_events("a", QUERY)), **damage})


class Pages:
    """Implements CheckSource."""

    def __init__(self, *pages: CheckPage) -> None:
        self.pages = list(pages)
        self.asked: list[str] = []

    def page(self, chain_id: int, after: str) -> CheckPage:
        self.asked.append(after)
        return self.pages.pop(0)


def test_set_when_it_is_read_then_first_everything_and_then_changes_only() -> None:
    one, two, three = (watch_blocks(name, 2) for name in "123")
    source = Pages(
        CheckPage((one,), (), "a", full=True, more=True),
        CheckPage((two,), (), "b"),
        CheckPage((three, watch_blocks("1", 5)), ("2",), "c"),
        CheckPage((), (), "c"),
    )
    checks = CheckSet(CHAIN)

    checks.refresh(source)
    assert set(checks.checks) == {"1", "2"}
    before = checks.revision
    checks.refresh(source)
    assert {c.id: c for c in checks.checks.values()} == {"1": watch_blocks("1", 5), "3": three}
    assert checks.revision > before
    before = checks.revision
    checks.refresh(source)
    assert checks.revision == before
    assert source.asked == ["", "a", "b", "c"]


def test_set_when_a_full_read_breaks_off_then_the_old_checks_stand() -> None:
    checks = CheckSet(CHAIN)
    checks.apply(CheckPage((watch_blocks("1", 2),), (), "a", full=True))
    checks.apply(CheckPage((watch_blocks("2", 2),), (), "b", full=True, more=True))

    assert set(checks.checks) == {"1"}
    checks.apply(CheckPage((watch_blocks("3", 2),), (), "c"))
    assert set(checks.checks) == {"2", "3"}


def test_set_when_a_check_moves_to_another_chain_then_it_is_let_go() -> None:
    checks = CheckSet(CHAIN)
    checks.apply(CheckPage((watch_blocks("1", 2),), (), "a", full=True))
    elsewhere = check_from_json({**check_to_json(watch_blocks("1", 2)), "chainId": 1})

    checks.apply(CheckPage((elsewhere,), (), "b"))

    assert not checks.checks


def test_shards_when_checks_are_shared_out_then_contracts_stay_together() -> None:
    checks: list[Check] = [
        watch_events(f"t{i}", {"addresses": [f"0x{i % 20:040x}"]}) for i in range(200)
    ]
    checks += [watch_events(f"any{i}", {}) for i in range(50)]
    checks += [watch_blocks(f"b{i}", 5) for i in range(50)]

    parts = [{c.id for c in checks if in_shard(c, Shard(i, 4))} for i in range(4)]

    assert sum(map(len, parts)) == len(checks) == len(set().union(*parts))
    assert all(len(part) > 20 for part in parts)
    assert len({shard_of(checks[i], 4) for i in range(3, 200, 20)}) == 1
