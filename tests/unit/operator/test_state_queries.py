"""Queries of method calls without topics: what a contract says fires, and no log does."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.evm.failures import RpcError
from task_engine.operator.findings import Kind

from tests.fakes.chain import Emitted
from tests.unit.operator.samples import (
    LATEST,
    SECOND_TOKEN,
    TOKEN,
    event_abi,
    topic0,
    watch_events,
    where,
    word,
)
from tests.unit.operator.world import Watched

DATA = "0xfeaf968c"
EVERY = 5
"""Blocks of a minute, on a chain that is not well known."""
ANSWER = event_abi("AnswerUpdated", ("current", "int256", True))
CALL = {"methodName": "latestRoundData"}


def oracle(*conditions: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "addresses": [TOKEN],
        "methodCalls": [CALL],
        "contractAbi": [LATEST, ANSWER],
        "conditions": list(conditions),
        **changes,
    }


def above(value: int, field: str = "latestRoundData.answer") -> dict[str, str]:
    return where(field, "gt", str(value))


def says(world: Watched, answer: int, contract: str = TOKEN) -> None:
    """What the oracle answers from now on."""
    values = "".join(word(number)[2:] for number in (7, answer, 1_700_000_000))
    world.chain.answers[contract, DATA] = "0x" + values


def fired(world: Watched) -> list[int]:
    return world.numbers("t", Kind.EVENT)


def test_it_is_asked_once_a_minute_and_fires_while_its_conditions_are_met() -> None:
    # Given an oracle that says 100, and a task for more than 150
    world = Watched(watch_events("t", oracle(above(150))))
    says(world, 100)
    # When blocks come, the oracle says 200 for a while, and 100 again
    for answer in (100, 200, 200, 100):
        says(world, answer)
        for _ in range(EVERY):
            world.mine(1)
            world.catch_up()
    # Then it has fired at the multiples at which it said so, and was asked at all, from block 0 on
    assert fired(world) == [2 * EVERY, 3 * EVERY]
    assert world.chain.calls["eth_call"] == 5
    # And no log was asked for
    assert world.chain.calls["eth_getLogs"] == 0


def test_the_data_is_the_record_and_of_the_block() -> None:
    world = Watched(watch_events("t", oracle(above(150))))
    says(world, 200)
    world.mine(EVERY)
    world.catch_up()
    [finding] = world.sent(Kind.EVENT)
    block = world.chain.blocks[EVERY]
    assert finding.occurrence.name == f"31337:{block.hash}"
    output = finding.output
    record = {"roundId": "7", "answer": "200", "updatedAt": "1700000000"}
    assert output["latestRoundData"] == record
    assert {name: output[name] for name in record} == record
    assert (output["current"], output["blockNumber"]) == ("200", EVERY)
    assert str(output["contractAddress"]).lower() == TOKEN
    assert "transactionHash" not in output


@pytest.mark.parametrize("name", ["chainId", "blockHash", "contractAddress", "transactionHash"])
def test_an_answer_named_like_a_fact_does_not_take_its_place(name: str) -> None:
    # Given an operator that is blamed for facts that contradict each other
    named = {"methodName": name, "callData": DATA}
    world = Watched(watch_events("t", oracle(methodCalls=[CALL, named])))
    says(world, 200)
    world.mine(EVERY)
    world.catch_up()
    [finding] = world.sent(Kind.EVENT)
    where = finding.occurrence
    facts = {"chainId": 31337, "blockNumber": EVERY, "blockHash": where.block_hash}
    assert {n: finding.output[n] for n in facts} == facts
    assert str(finding.output["contractAddress"]).lower() == TOKEN
    assert "transactionHash" not in finding.output


@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        ([], True),
        ([above(150, "answer")], True),
        ([above(150, "current")], True),
        ([above(150, "AnswerUpdated.current")], True),
        ([above(250, "AnswerUpdated.current")], False),
        ([above(150), above(250)], False),
        ([above(1, "latestRoundData.anser")], False),
        ([above(1, "somethingElse.value")], False),
        ([above(1, "decimals.decimals")], False),
    ],
)
def test_conditions_are_on_answers_or_on_the_record(
    conditions: list[dict[str, str]], met: bool
) -> None:
    world = Watched(watch_events("t", oracle(*conditions)))
    says(world, 200)
    world.mine(EVERY)
    world.catch_up()
    assert fired(world) == [EVERY] * met


@pytest.mark.parametrize("conditions", [[], [above(1)]])
@pytest.mark.parametrize(("abi", "answer"), [([], 1), ([ANSWER], 1), ([LATEST], None)])
def test_what_does_not_answer_fires_nothing(
    conditions: list[dict[str, str]], abi: list[Any], answer: int | None
) -> None:
    # Given a method that the interface does not know, or a contract that refuses it
    world = Watched(watch_events("t", oracle(*conditions, contractAbi=abi)))
    if answer is not None:
        says(world, answer)
    else:
        world.chain.answers[TOKEN, DATA] = RpcError("execution reverted", rpc_code=3)
    world.mine(EVERY)
    world.catch_up()
    assert fired(world) == []


def test_the_first_contract_of_which_it_holds_is_told() -> None:
    world = Watched(watch_events("t", oracle(above(150), addresses=[TOKEN, SECOND_TOKEN])))
    says(world, 100)
    says(world, 200, SECOND_TOKEN)
    world.mine(EVERY)
    world.catch_up()
    [finding] = world.sent(Kind.EVENT)
    assert str(finding.output["contractAddress"]).lower() == SECOND_TOKEN


def test_what_was_missed_is_not_made_up_for() -> None:
    # Given a watch that was away for four minutes
    world = Watched(watch_events("t", oracle(above(150))))
    world.mine(1)
    world.catch_up()
    says(world, 200)
    world.mine(4 * EVERY)
    # When it is back
    world.catch_up()
    # Then the newest state alone counts
    assert fired(world) == [4 * EVERY]


def test_logs_fire_the_other_queries_of_the_task() -> None:
    log_query = {"addresses": [TOKEN], "topics": [topic0(ANSWER)]}
    world = Watched(watch_events("t", oracle(above(150)), log_query))
    says(world, 100)
    world.chain.mine(Emitted(TOKEN, (topic0(ANSWER), word(5))))
    world.chain.mine(Emitted(TOKEN, (topic0(event_abi("Other")),)))
    world.mine(EVERY - 2)
    world.catch_up()
    assert fired(world) == [1]


def test_a_reorg_takes_back_what_a_state_fired() -> None:
    world = Watched(watch_events("t", oracle(above(150))))
    says(world, 200)
    world.mine(EVERY)
    world.catch_up()
    world.chain.reorg(1)
    says(world, 100)
    world.mine(2)
    world.catch_up()
    assert fired(world) == [EVERY]
    assert world.numbers("t", Kind.ORPHANED) == [EVERY]


def test_a_node_that_is_away_is_asked_again() -> None:
    world = Watched(watch_events("t", oracle(above(150))))
    world.chain.answers[TOKEN, DATA] = RpcError("connection reset", may_retry=True)
    world.mine(EVERY)
    with pytest.raises(RpcError):
        world.catch_up()
    says(world, 200)
    world.catch_up()
    assert fired(world) == [EVERY]
