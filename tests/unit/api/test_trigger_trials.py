"""POST /triggers:run and simulations of triggers of blocks and events."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.evm.failures import RpcError
from task_engine.evm.tokens import TokenMetadata

from tests.fakes.chain import Emitted
from tests.unit.api.world import CHAIN, World
from tests.unit.operator.samples import (
    LATEST,
    OTHER,
    TOKEN,
    TRANSFER,
    TRANSFER_ABI,
    WALLET,
    address_topic,
    event_abi,
    topic0,
    word,
)

FROM, TO = address_topic(WALLET), address_topic(OTHER)
MOVED = event_abi("Moved", ("who", "address", True), ("what", "uint256", False))
EVERYTHING = event_abi(
    "Everything",
    ("flag", "bool", True),
    ("text", "string", True),
    ("data", "bytes", False),
    ("small", "int8[2]", False),
    ("names", "string[]", False),
    ("id", "bytes32", False),
)


def run(world: World, kind: str, more: dict[str, Any] | None = None, **config: Any) -> Any:
    config = {"chainId": CHAIN, **config}
    body = {"trigger": {"id": "t", "name": "t", "type": kind, "config": config}, **(more or {})}
    answer = world.call("POST", "/triggers:run", body)
    assert answer.status == 200, answer.text
    return answer.json


def query(*topics: str | None, **more: Any) -> dict[str, Any]:
    return {"addresses": [TOKEN], "topics": list(topics), **more}


def test_a_block_trigger_brings_the_newest_block(world: World) -> None:
    for _ in range(3):
        newest = world.chain.mine()
    answer = run(world, "block", interval=5)
    assert answer["success"] is True
    assert answer["output"]["data"] == {
        "blockNumber": 3,
        "blockHash": newest.hash,
        "timestamp": newest.timestamp,
        "parentHash": newest.parent,
        "difficulty": "0",
        "gasLimit": 30_000_000,
        "gasUsed": 0,
    }
    assert answer["executionContext"] == {
        "is_simulated": False, "chain_id": CHAIN, "provider": "chain_rpc"
    }  # fmt: skip


def test_a_block_may_be_named(world: World) -> None:
    world.chain.mine()
    assert (
        run(world, "block", {"triggerInput": {"blockNumber": 0}})["output"]["data"]["blockNumber"]
        == 0
    )
    assert run(world, "block", blockNumber=1)["output"]["data"]["blockNumber"] == 1
    missing = run(world, "block", blockNumber=9)
    assert (missing["success"], missing["errorCode"]) == (False, "INVALID_TRIGGER_CONFIG")
    assert run(world, "block", blockNumber="x")["errorCode"] == "INVALID_TRIGGER_CONFIG"


@pytest.mark.parametrize("name", ["chainId", "chain_id"])
def test_chains_may_be_spelled_as_clients_do(world: World, name: str) -> None:
    config = {"chainId": None, name: float(CHAIN)}
    assert run(world, "block", **config)["success"] is True


def test_an_event_trigger_brings_the_newest_log_that_fits(world: World) -> None:
    world.chain.mine(Emitted(TOKEN, (TRANSFER, FROM, TO), word(1_500_000)))
    newest = world.chain.mine(Emitted(TOKEN, (TRANSFER, FROM, TO), word(2_500_000)))
    world.chain.mine(Emitted(TOKEN, (TRANSFER, TO, FROM), word(9)))
    answer = run(world, "event", queries=[query(TRANSFER, WALLET)])
    data = answer["output"]["data"]
    assert (data["blockHash"], data["valueFormatted"]) == (newest.hash, "2.5")
    assert (data["direction"], data["tokenSymbol"]) == ("sent", "USDX")
    assert answer["metadata"]["topics"] == [TRANSFER, FROM, TO]
    assert answer["executionContext"]["is_simulated"] is False


@pytest.mark.parametrize(("decimals", "shown"), [(18, "1.5"), (6, "100.5"), (0, "100")])
def test_without_a_log_a_sample_transfer_is_made_up(
    world: World, decimals: int, shown: str
) -> None:
    token = TokenMetadata(True, TOKEN, "T", "Token", decimals, "rpc")
    world.token_names.known[TOKEN] = token
    answer = run(world, "event", queries=[query(TRANSFER, None, OTHER)])
    data = answer["output"]["data"]
    assert (data["valueFormatted"], data["tokenSymbol"]) == (shown, "T")
    assert (data["toAddress"].lower(), data["direction"]) == (OTHER, "received")
    assert answer["metadata"] == {"simulated": True}
    assert answer["executionContext"]["is_simulated"] is True


def test_a_sample_has_the_fields_of_the_interface(world: World) -> None:
    config = {"queries": [query(topic0(EVERYTHING), contractAbi=[MOVED, EVERYTHING])]}
    data = run(world, "event", **config)["output"]["data"]
    assert data["eventName"] == "Everything"
    fields = data["Everything"]
    assert fields["flag"] == "true"
    assert (fields["data"], fields["small"], fields["names"]) == ("0x01", ["1", "1"], ["sample"])
    assert fields["id"] == "0x" + "01" * 32


def test_a_sample_keeps_to_the_topics_of_the_query(world: World) -> None:
    data = run(world, "event", queries=[query(topic0(MOVED), OTHER, contractAbi=[MOVED])])
    assert data["output"]["data"]["Moved"]["who"].lower() == OTHER
    bare = run(world, "event", queries=[query("0x" + "ee" * 32, OTHER)])["output"]["data"]
    assert bare["topics"] == ["0x" + "ee" * 32, TO]


def test_conditions_that_are_not_met_let_nothing_run(world: World) -> None:
    condition = {"fieldName": "Moved.what", "operator": "gt", "value": "5"}
    config = query(topic0(MOVED), contractAbi=[MOVED], conditions=[condition])
    answer = run(world, "event", queries=[config])
    assert answer["success"] is False
    assert "conditions not met" in answer["error"]
    assert answer["metadata"]["evaluated"]["Moved"]["what"] == "1"
    # And a log that meets them is found among others
    world.chain.mine(Emitted(TOKEN, (topic0(MOVED), TO), word(6)))
    world.chain.mine(Emitted(TOKEN, (topic0(MOVED), TO), word(5)))
    met = run(world, "event", queries=[config])
    assert met["output"]["data"]["Moved"]["what"] == "6"


@pytest.mark.parametrize(("least", "met"), [("100", True), ("3000", False)])
def test_method_calls_without_topics_are_made_at_once(world: World, least: str, met: bool) -> None:
    data = "0xfeaf968c"
    answer = "0x" + "".join(word(n)[2:] for n in (7, 2500, 1_700_000_000))
    world.chain.answers[TOKEN, data] = answer
    condition = {"fieldName": "latestRoundData.answer", "operator": "gt", "value": least}
    call = {"methodName": "latestRoundData", "callData": data}
    config = {
        "addresses": [TOKEN],
        "methodCalls": [call],
        "contractAbi": [LATEST],
        "conditions": [condition],
    }
    result = run(world, "event", queries=[config])
    assert result["success"] is met
    found = result["output"]["data"] if met else result["metadata"]["evaluated"]
    if met:
        assert (found["answer"], found["current"], found["roundId"]) == ("2500", "2500", "7")
    else:
        assert found["latestRoundData"]["answer"] == "2500"


@pytest.mark.parametrize(
    ("config", "code", "text"),
    [
        ({}, "INVALID_TRIGGER_CONFIG", "queries"),
        ({"queries": []}, "INVALID_TRIGGER_CONFIG", "queries"),
        ({"queries": [{"topics": [TRANSFER]}]}, "INVALID_NODE_CONFIG", "at least one contract"),
        ({"queries": [query(TRANSFER)]}, "INVALID_NODE_CONFIG", "at least one address"),
        ({"queries": [query("0x12")]}, "INVALID_TRIGGER_CONFIG", "not a topic"),
        ({"queries": [{"addresses": ["{{who}}"]}]}, "INVALID_TRIGGER_CONFIG", "not an address"),
    ],
)
def test_what_can_not_be_tried_is_told(world: World, config: Any, code: str, text: str) -> None:
    answer = run(world, "event", **config)
    assert (answer["success"], answer["errorCode"]) == (False, code)
    assert text in answer["error"]


def test_a_node_that_finds_too_much_is_asked_for_less(world: World) -> None:
    for number in range(30):
        world.chain.mine(Emitted(TOKEN, (topic0(MOVED), TO), word(number)))
    world.chain.max_logs = 12
    answer = run(world, "event", queries=[query(topic0(MOVED), contractAbi=[MOVED])])
    assert answer["output"]["data"]["Moved"]["what"] == "29"


@pytest.mark.parametrize("kind", ["block", "event"])
def test_a_node_that_fails_is_the_answer(world: World, kind: str) -> None:
    def away(_: str) -> None:
        raise RpcError("the node is away", may_retry=True)

    world.chain.before_call = away
    answer = run(world, kind, interval=5, queries=[query(TRANSFER, WALLET)])
    assert (answer["success"], answer["errorCode"]) == (False, "RPC_NODE_ERROR")


def simulate(world: World, config: dict[str, Any], **variables: Any) -> Any:
    code = {"lang": "javascript", "source": "return seen.data.valueFormatted"}
    body = {
        "trigger": {
            "id": "t", "name": "seen", "type": "event", "config": {"chainId": CHAIN, **config}
        },
        "nodes": [{"id": "n", "name": "n", "type": "customCode", "config": code}],
        "inputVariables": {"settings": {"runner": world.first_wallet()}, **variables},
    }  # fmt: skip
    answer = world.call("POST", "/workflows:simulate", body)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_simulation_begins_with_what_the_trigger_brings(world: World) -> None:
    result = simulate(world, {"queries": [query(TRANSFER, "{{who}}")]}, who=WALLET)
    assert result["status"] == "success"
    assert result["steps"][0]["output"]["data"]["direction"] == "sent"
    assert result["steps"][1]["output"]["data"] == "100.5"


def test_a_simulation_of_conditions_that_are_not_met_runs_no_node(world: World) -> None:
    condition = {"fieldName": "Transfer.value", "operator": "gt", "value": "1000000000"}
    config = query(TRANSFER, WALLET, contractAbi=[TRANSFER_ABI], conditions=[condition])
    result = simulate(world, {"queries": [config]})
    assert (result["status"], len(result["steps"])) == ("failed", 1)
    assert "conditions not met" in result["steps"][0]["error"]
