"""The data that event triggers give."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.evm.address import Address
from task_engine.evm.failures import RpcError
from task_engine.evm.tokens import TokenMetadata
from task_engine.operator.canonical import canonical
from task_engine.operator.enrich import MAX_DATA_CHARS
from task_engine.operator.findings import Kind

from tests.fakes.chain import Emitted
from tests.unit.operator.samples import (
    OTHER,
    TOKEN,
    TRANSFER,
    TRANSFER_ABI,
    WALLET,
    address_topic,
    event_abi,
    log_of,
    topic0,
    watch_events,
    where,
    word,
)
from tests.unit.operator.world import Watched, emitted_transfer

ANSWER_ABI = event_abi(
    "AnswerUpdated", ("current", "int256", True), ("roundId", "uint256", True),
    ("updatedAt", "uint256", False),
)  # fmt: skip
LATEST: dict[str, Any] = {
    "type": "function",
    "name": "latestRound",
    "stateMutability": "view",
    "inputs": [],
    "outputs": [{"name": "", "type": "uint256"}],
}
LATEST_DATA = "0x668a0f02"


def data_of(
    emitted: Emitted, query: dict[str, Any], world: Watched | None = None
) -> dict[str, Any]:
    """What one event gives to the task of one check."""
    place = world or Watched()
    place.set_checks(watch_events("t", query))
    place.chain.mine(emitted)
    place.catch_up()
    (finding,) = place.sent(Kind.EVENT)
    assert canonical(finding.output)
    return dict(finding.output)


def emitted(abi: dict[str, Any], *values: Any) -> Emitted:
    log = log_of(abi, *values)
    return Emitted(TOKEN, log.topics, log.data)


def test_transfer_when_sent_by_the_named_wallet_then_data_is_flat() -> None:
    world = Watched()

    data = data_of(
        emitted_transfer(TOKEN, WALLET, OTHER, 1_500_000),
        {"topics": [TRANSFER, WALLET]},
        world,
    )

    block = world.chain.blocks[1]
    assert data == {
        "eventName": "Transfer",
        "tokenName": "Dollar X",
        "tokenSymbol": "USDX",
        "tokenDecimals": 6,
        "contractAddress": Address(TOKEN),
        "transactionHash": block.logs[0]["transactionHash"],
        "blockNumber": 1,
        "blockHash": block.hash,
        "blockTimestamp": block.timestamp * 1000,
        "fromAddress": Address(WALLET),
        "toAddress": Address(OTHER),
        "value": "1500000",
        "valueFormatted": "1.5",
        "direction": "sent",
        "walletAddress": Address(WALLET),
        "chainId": 31337,
        "logIndex": 0,
    }


@pytest.mark.parametrize(
    ("topics", "sender", "to", "direction", "wallet"),
    [
        ([TRANSFER, "", OTHER], TOKEN, OTHER, "received", OTHER),
        ([TRANSFER], WALLET, OTHER, "sent", WALLET),
        ([TRANSFER], OTHER, WALLET, "received", WALLET),
        ([TRANSFER], OTHER, TOKEN, "unknown", WALLET),
    ],
)
def test_transfer_when_seen_from_a_wallet_then_it_has_a_direction(
    topics: list[str], sender: str, to: str, direction: str, wallet: str
) -> None:
    data = data_of(emitted_transfer(TOKEN, sender, to, 1), {"topics": topics})

    assert (data["direction"], data["walletAddress"]) == (direction, Address(wallet))


def test_transfer_when_contract_is_no_token_then_it_is_unknown_and_asked_once() -> None:
    world = Watched()
    world.tokens.known[TOKEN] = TokenMetadata(False, TOKEN, "UNKNOWN", "Unknown Token", 18, "rpc")

    data = data_of(emitted_transfer(TOKEN, WALLET, OTHER, 10**18), {"topics": [TRANSFER]}, world)
    world.chain.mine(emitted_transfer(TOKEN, WALLET, OTHER, 1))
    world.catch_up()

    assert (data["tokenSymbol"], data["valueFormatted"]) == ("UNKNOWN", "1")
    assert world.tokens.lookups == 1


@pytest.mark.parametrize(
    "error",
    [
        RpcError("out of gas", rpc_code=-32000),
        RpcError("execution aborted (timeout = 5s)", rpc_code=-32000, may_retry=True),
    ],
)
def test_transfer_when_a_hostile_token_never_answers_then_the_watch_goes_on(
    error: RpcError,
) -> None:
    world = Watched()
    world.tokens.known[TOKEN] = error

    data = data_of(emitted_transfer(TOKEN, WALLET, OTHER, 5), {"topics": [TRANSFER]}, world)

    assert data["tokenName"] == "Unknown Token"


def test_transfer_when_node_is_away_then_the_pass_is_made_again() -> None:
    world = Watched(watch_events("t", {"topics": [TRANSFER]}))
    world.tokens.known[TOKEN] = RpcError("connection reset", may_retry=True)
    world.chain.mine(emitted_transfer(TOKEN, WALLET, OTHER, 5))
    with pytest.raises(RpcError):
        world.look()
    del world.tokens.known[TOKEN]

    world.look()

    assert len(world.sent(Kind.EVENT)) == 1


def test_transfer_when_it_is_of_an_nft_then_it_is_an_event_like_any_other() -> None:
    topics = (TRANSFER, address_topic(WALLET), address_topic(OTHER), word(7))

    data = data_of(Emitted(TOKEN, topics), {"topics": [TRANSFER]})

    assert "tokenSymbol" not in data
    assert data["topics"] == list(topics)


def test_event_when_abi_knows_it_then_fields_stand_under_its_name() -> None:
    data = data_of(emitted(ANSWER_ABI, -5, 9, 1234), {"contractAbi": [ANSWER_ABI]})

    assert data["eventName"] == "AnswerUpdated"
    assert data["AnswerUpdated"] == {"current": "-5", "roundId": "9", "updatedAt": "1234"}
    assert data["data"] == word(1234)
    assert (data["removed"], data["logIndex"], data["chainId"]) == (False, 0, 31337)


def test_event_when_there_is_no_abi_then_it_has_the_basic_fields() -> None:
    data = data_of(Emitted(TOKEN, (word(1),), "0xab"), {"topics": [word(1)]})

    assert (data["eventName"], data["data"], data["topics"]) == ("", "0xab", [word(1)])


def test_event_when_decimals_apply_to_fields_then_raw_values_stay_beside() -> None:
    query = {
        "contractAbi": [ANSWER_ABI],
        "methodCalls": [
            {"methodName": "decimals", "applyToFields": ["AnswerUpdated.current", "Nobody.x", "no"]}
        ],
    }

    data = data_of(emitted(ANSWER_ABI, -1_500_000, 9, 1), query)

    expected = {"current": "-1.5", "currentRaw": "-1500000", "roundId": "9", "updatedAt": "1"}
    assert data["AnswerUpdated"] == expected


def test_event_when_contract_is_no_token_then_decimals_format_nothing() -> None:
    world = Watched()
    world.tokens.known[TOKEN] = TokenMetadata(False, TOKEN, "UNKNOWN", "Unknown Token", 18, "rpc")
    call = {"methodName": "decimals", "applyToFields": ["AnswerUpdated.current"]}

    data = data_of(
        emitted(ANSWER_ABI, 5, 9, 1), {"contractAbi": [ANSWER_ABI], "methodCalls": [call]}, world
    )

    assert data["AnswerUpdated"]["current"] == "5"


def test_methods_when_they_are_called_then_answers_stand_under_their_names() -> None:
    world = Watched()
    world.chain.answers[(TOKEN, LATEST_DATA)] = word(77)
    query = {
        "topics": [topic0(ANSWER_ABI)],
        "contractAbi": [ANSWER_ABI, LATEST],
        "methodCalls": [
            {"methodName": "latestRound"},
            {"methodName": "byData", "callData": LATEST_DATA},
            {"methodName": "raw", "callData": "0x12345678"},
            {"methodName": "unknown"},
        ],
    }

    data = data_of(emitted(ANSWER_ABI, 5, 9, 1), query, world)

    assert (data["latestRound"], data["byData"], data["raw"]) == ("77", "77", "0x")
    assert "unknown" not in data


@pytest.mark.parametrize("name", ["chainId", "blockHash", "logIndex", "contractAddress", "topics"])
def test_methods_when_one_is_named_like_a_fact_then_the_fact_stands(name: str) -> None:
    # Given an operator that is blamed for facts that contradict each other
    world = Watched()
    world.chain.answers[(TOKEN, LATEST_DATA)] = word(77)
    call = {"methodName": name, "callData": LATEST_DATA}
    query = {"topics": [topic0(ANSWER_ABI)], "contractAbi": [ANSWER_ABI, LATEST]}

    data = data_of(emitted(ANSWER_ABI, 5, 9, 1), {**query, "methodCalls": [call]}, world)

    plain = data_of(emitted(ANSWER_ABI, 5, 9, 1), query)
    assert data[name] == plain[name]


def test_event_when_it_is_named_like_a_fact_then_the_fact_stands() -> None:
    abi = event_abi("blockNumber", ("n", "uint256", False))

    data = data_of(emitted(abi, 5), {"topics": [topic0(abi)], "contractAbi": [abi]})

    assert (data["eventName"], data["blockNumber"]) == ("blockNumber", 1)


@pytest.mark.parametrize(
    "answer",
    [RpcError("execution reverted", rpc_code=3), "0x01", "0x" + "00" * MAX_DATA_CHARS, None],
)
def test_methods_when_one_can_not_be_read_then_it_is_null(answer: Any) -> None:
    world = Watched()
    world.chain.answers[(TOKEN, LATEST_DATA)] = answer
    call = {"methodName": "latestRound"}
    query = {"topics": [word(1)], "contractAbi": [LATEST], "methodCalls": [call]}

    assert data_of(Emitted(TOKEN, (word(1),)), query, world)["latestRound"] is None


def test_event_when_it_is_huge_then_it_is_cut() -> None:
    noisy = event_abi("Noisy", ("text", "string", False))

    data = data_of(emitted(noisy, "\x01" * 500_000), {"topics": [topic0(noisy)]})
    with_abi = data_of(
        emitted(noisy, "\x01" * 500_000), {"topics": [topic0(noisy)], "contractAbi": [noisy]}
    )

    assert len(canonical(data)) < 2 * MAX_DATA_CHARS
    assert len(canonical(with_abi)) < 2 * MAX_DATA_CHARS
    assert with_abi["eventName"] == "Noisy"


def test_condition_when_it_is_on_a_formatted_value_then_the_token_is_asked() -> None:
    world = Watched()
    query = {
        "contractAbi": [TRANSFER_ABI],
        "conditions": [where("Transfer.value", "gte", "1.5", "decimal")],
        "methodCalls": [{"methodName": "decimals", "applyToFields": ["Transfer.value"]}],
    }
    world.chain.mine(emitted_transfer(TOKEN, WALLET, OTHER, 1_499_999))

    data = data_of(emitted_transfer(TOKEN, WALLET, OTHER, 1_500_000), query, world)

    assert data["valueFormatted"] == "1.5"
