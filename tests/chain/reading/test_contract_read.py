"""contractRead against contracts on a development chain."""

from __future__ import annotations

import json

import pytest
from eth_abi.abi import encode
from task_engine.errors import NodeError
from task_engine.evm.address import Address
from task_engine.evm.simulated import SimulatedCall
from task_engine.evm.simulation import ChainSimulator
from task_engine.evm.words import call_data, word
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.contract_read import ContractReadProcessor

from infra_cdk.local.contracts import DevelopmentNode
from tests.chain.reading.world import CHAIN_ID, CountedRpc, OneChain, abi_of, install_code, items_of

HOLDER = Address("0x71C7656EC7ab88b098defB751B7401B5f6d8976F")
NOBODY = Address("0x00000000000000000000000000000000000000f1")


def read(address: str, *calls: dict[str, JsonValue], abi: str = "Counter") -> PlanNode:
    config: dict[str, JsonValue] = {
        "contractAddress": address,
        "contractAbi": [*abi_of(abi)],
        "methodCalls": [*calls],
        "chainId": CHAIN_ID,
    }
    return PlanNode("r", "r", NodeType.CONTRACT_READ, config, 1)


def method(name: str, *params: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    return {"methodName": name, "methodParams": [*params], **more}


@pytest.fixture
def processor(chains: OneChain) -> ContractReadProcessor:
    return ContractReadProcessor(chains)


def test_many_methods_are_one_batch_pinned_to_one_block(
    processor: ContractReadProcessor, rpc: CountedRpc, counter: Address, node: DevelopmentNode
) -> None:
    # Given a counter that was raised
    node.send(counter, call_data("add(uint256)", word(41)))
    # When five methods are read
    outcome = processor.run(
        read(
            counter,
            method("count"),
            method("LIMIT"),
            method("summary"),
            method("pair"),
            method("sum", '["1", 2, "0x3"]'),
        ),
        Scope({}),
    )
    # Then numbers are texts, several outputs are objects, names are the ABI's
    assert outcome.error is None
    assert outcome.data == {
        "count": "41",
        "LIMIT": "1000",
        "summary": {"counted": "41", "degrees": "0", "self": counter, "any": "true"},
        "pair": {"output_0": "7", "output_1": "seven"},
        "sum": {"total": "6"},
    }
    # And two round trips were made: the block's number, then everything
    assert rpc.batches == [["eth_blockNumber"], ["eth_call"] * 5]


def test_metadata_tells_of_every_call_with_raw_values(
    processor: ContractReadProcessor, counter: Address
) -> None:
    outcome = processor.run(read(counter, method("count"), method("refuse")), Scope({}))
    counted, refused = items_of(outcome.metadata)
    abi = {str(item.get("name")): item for item in abi_of("Counter")}
    assert counted == {
        "methodName": "count",
        "success": True,
        "error": "",
        "methodABI": abi["count"],
        "value": "0",
    }
    assert refused["success"] is False
    assert refused["methodABI"] == abi["refuse"]
    assert refused["value"] is None


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (method("refuse"), "Refused()"),
        (method("refuseWithText"), "not today"),
        (method("refuseWithoutReason"), "reverted without a reason"),
        (method("divide", "1", "0"), "division by zero"),
    ],
)
def test_a_method_that_reverts_fails_the_step_with_its_reason_and_keeps_the_others(
    processor: ContractReadProcessor,
    counter: Address,
    call: dict[str, JsonValue],
    reason: str,
) -> None:
    outcome = processor.run(read(counter, method("LIMIT"), call, method("count")), Scope({}))
    assert outcome.error is not None
    assert f"method {call['methodName']}: " in outcome.error.message
    assert reason in outcome.error.message
    assert outcome.error.retryable is False
    assert outcome.data == {"LIMIT": "1000", "count": "0"}


def test_the_first_error_is_the_steps(processor: ContractReadProcessor, counter: Address) -> None:
    calls = [method("refuse"), method("sum", "x"), method("nothing")]
    outcome = processor.run(read(counter, *calls), Scope({}))
    assert outcome.error is not None
    assert "method refuse" in outcome.error.message


def test_calls_come_from_the_smart_wallet(
    processor: ContractReadProcessor, counter: Address
) -> None:
    outcome = processor.run(read(counter, method("sender")), Scope({"aa_sender": HOLDER.lower()}))
    assert outcome.data == {"sender": HOLDER}


def test_structs_are_objects_and_go_in_as_json(
    processor: ContractReadProcessor, counter: Address, node: DevelopmentNode
) -> None:
    order = (7, True, b"\x01" * 32, "räd", [(bytes.fromhex(HOLDER[2:]), 5)])
    types = ["(uint256,bool,bytes32,string,(address,uint256)[])"]
    signature = f"place({types[0]})"
    node.send(counter, call_data(signature) + encode(types, [order]))
    groups = json.dumps([[{"token": HOLDER, "amount": "4"}], [[HOLDER, 5], [NOBODY, 6]]])
    outcome = processor.run(
        read(counter, method("orderOf", "{{id}}"), method("totals", groups)), Scope({"id": 7})
    )
    assert outcome.error is None
    assert outcome.data == {
        "orderOf": {
            "id": "7",
            "open": "true",
            "tag": "0x" + "01" * 32,
            "note": "räd",
            "lines": [{"token": HOLDER, "amount": "5"}],
        },
        "totals": {"result": ["4", "11"]},
    }


def test_templates_stand_in_address_name_and_parameters(
    processor: ContractReadProcessor, counter: Address
) -> None:
    scope = Scope({"where": {"data": {"at": counter}}, "what": "sum", "list": {"data": [1, 2]}})
    node = read("{{where.data.at}}", method("{{what}}", "{{list.data}}"))
    outcome = processor.run(node, scope)
    assert outcome.data == {"sum": {"total": "3"}}


def test_every_missing_variable_is_named_and_nothing_is_sent(
    processor: ContractReadProcessor, rpc: CountedRpc
) -> None:
    node = read("{{a.data.x}}", method("{{b}}", "{{c.data}}"), method("count", "{{d.data.y}}"))
    with pytest.raises(NodeError) as failure:
        processor.run(node, Scope({}))
    message = failure.value.message
    for name in ("a.data.x", "b", "c.data", "d.data.y"):
        assert name in message
    assert "contractAddress" in message
    assert rpc.batches == []


def test_call_data_is_taken_literally_when_it_calls_the_method(
    processor: ContractReadProcessor, counter: Address
) -> None:
    data = "0x" + call_data("divide(uint256,uint256)", word(9), word(2)).hex()
    outcome = processor.run(read(counter, method("divide", callData=data)), Scope({}))
    assert outcome.data == {"divide": "4"}


@pytest.mark.parametrize(
    ("call_data", "says"),
    [
        ("0x06661abd", "calls count() instead"),
        ("0xdeadbeef", "0xdeadbeef, which is not in the ABI"),
        ("0x1234", "4 bytes at least"),
        ("{{data}}", "4 bytes at least"),
    ],
)
def test_call_data_of_another_method_is_that_methods_error(
    processor: ContractReadProcessor, counter: Address, call_data: str, says: str
) -> None:
    calls = [method("divide", callData=call_data), method("count")]
    outcome = processor.run(read(counter, *calls), Scope({"data": "0x06661abd"}))
    assert outcome.error is not None
    assert outcome.error.code == "INVALID_NODE_CONFIG"
    assert says in outcome.error.message
    assert outcome.data == {"count": "0"}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (method("nothing"), "method nothing is not in the ABI"),
        (method("divide", "1"), "takes 2 parameters, not 1"),
        (method("divide", "1", "two"), "parameter 2 b (uint256)"),
        (method("divide", "1", str(2**256)), "out of range"),
        (method("countOf", "0x12"), "parameter 1 by (address)"),
        (method("sum", "5"), "not a JSON array"),
        (method("count", applyToFields=["price"]), "which this node does not read"),
        (method("count", applyToFields=["pair"]), "output_0, output_1"),
        (method("count", applyToFields=["pair.output_1"]), "is no whole number but string"),
    ],
)
def test_what_does_not_fit_the_abi_is_told_and_not_sent(
    processor: ContractReadProcessor,
    rpc: CountedRpc,
    counter: Address,
    call: dict[str, JsonValue],
    says: str,
) -> None:
    node = read(counter, call, method("pair"))
    outcome = processor.run(node, Scope({}))
    assert outcome.error is not None
    assert says in outcome.error.message
    assert outcome.data == {"pair": {"output_0": "7", "output_1": "seven"}}
    assert rpc.batches == [["eth_blockNumber"], ["eth_call"]]


def test_no_contract_at_the_address_differs_from_empty_data(
    processor: ContractReadProcessor, counter: Address
) -> None:
    nowhere = processor.run(read(NOBODY, method("count"), method("LIMIT")), Scope({}))
    assert nowhere.error is not None
    text = f"method count: no contract code at {NOBODY} on chain {CHAIN_ID}"
    assert nowhere.error.message == text
    assert nowhere.data == {}
    # A Counter has a receive function only, so unknown selectors revert; a bare STOP answers.
    here = processor.run(read(counter, method("balanceOf", HOLDER), abi="TestToken"), Scope({}))
    assert here.error is not None
    assert "reverted" in here.error.message


def test_a_contract_that_answers_nothing_has_no_such_method(
    processor: ContractReadProcessor, node: DevelopmentNode
) -> None:
    silent = install_code(node, Address("0x00000000000000000000000000000000000000f2"), "0x00")
    outcome = processor.run(read(silent, method("count")), Scope({}))
    assert outcome.error is not None
    assert "empty data" in outcome.error.message


def test_decimals_are_applied_exactly_and_metadata_stays_raw(
    processor: ContractReadProcessor, counter: Address, token: Address, node: DevelopmentNode
) -> None:
    # Given a token of six decimals with 1,234,560 units in existence
    node.send(token, call_data("mint(address,uint256)", bytes(12) + HOLDER.raw, word(1_234_560)))
    # When decimals() names the methods whose values it belongs to
    outcome = processor.run(
        read(
            token,
            method("decimals", applyToFields=["totalSupply", "balanceOf"]),
            method("totalSupply"),
            method("balanceOf", HOLDER),
            abi="TestToken",
        ),
        Scope({}),
    )
    # Then data holds decimal numbers, metadata base units
    assert outcome.data == {"decimals": "6", "totalSupply": "1.23456", "balanceOf": "1.23456"}
    values = [item["value"] for item in items_of(outcome.metadata)]
    assert values == ["6", "1234560", "1234560"]


def test_a_negative_number_is_divided_towards_zero(
    processor: ContractReadProcessor, counter: Address, node: DevelopmentNode
) -> None:
    node.send(counter, call_data("setTemperature(int256)", word(-15_000_000)))
    calls = [
        method("divide", "14", "2", applyToFields=["summary.degrees", "temperature"]),
        method("summary"),
        method("temperature"),
    ]
    outcome = processor.run(read(counter, *calls), Scope({}))
    assert isinstance(outcome.data, dict)
    assert outcome.data["temperature"] == "-1.5"
    summary = outcome.data["summary"]
    assert isinstance(summary, dict)
    assert (summary["degrees"], summary["counted"]) == ("-1.5", "0")


def test_a_value_that_could_not_be_formatted_is_left_out(
    processor: ContractReadProcessor, counter: Address
) -> None:
    calls = [method("divide", "1", "0", applyToFields=["count"]), method("count"), method("LIMIT")]
    outcome = processor.run(read(counter, *calls), Scope({}))
    assert outcome.error is not None
    assert "division by zero" in outcome.error.message
    assert outcome.data == {"LIMIT": "1000"}


def test_what_is_no_number_of_decimals_is_an_error(
    processor: ContractReadProcessor, counter: Address
) -> None:
    calls = [method("LIMIT", applyToFields=["count"]), method("count")]
    outcome = processor.run(read(counter, *calls), Scope({}))
    assert outcome.error is not None
    assert "LIMIT" in outcome.error.message
    assert "number of decimals" in outcome.error.message
    assert outcome.data == {"LIMIT": "1000"}


def test_overloads_are_told_apart_by_signature(
    processor: ContractReadProcessor, counter: Address
) -> None:
    calls = [method("add(uint256)", "1"), method("add(uint256, string)", "2", "why")]
    outcome = processor.run(read(counter, *calls), Scope({}))
    assert outcome.data == {"add(uint256)": "1", "add(uint256,string)": "2"}


def test_a_method_with_an_address_of_its_own_is_read_there(
    processor: ContractReadProcessor, counter: Address
) -> None:
    calls = [method("count"), method("LIMIT", contractAddress="{{there}}")]
    outcome = processor.run(read(NOBODY, *calls), Scope({"there": counter}))
    assert outcome.data == {"LIMIT": "1000"}
    broken = processor.run(read(counter, method("LIMIT", contractAddress="0x1")), Scope({}))
    assert broken.error is not None
    assert broken.error.code == "INVALID_ADDRESS"


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"contractAddress": None}, "MISSING_REQUIRED_FIELD", "contractAddress is required"),
        ({"contractAddress": "0x12"}, "INVALID_ADDRESS", "contractAddress is not an address"),
        ({"contractAbi": []}, "MISSING_REQUIRED_FIELD", "contractAbi is required"),
        ({"contractAbi": "abi"}, "INVALID_NODE_CONFIG", "contractAbi must be a list"),
        ({"methodCalls": []}, "MISSING_REQUIRED_FIELD", "methodCalls is required"),
        ({"methodCalls": ["count"]}, "INVALID_NODE_CONFIG", "methodCalls must hold objects"),
        ({"methodCalls": [{}]}, "MISSING_REQUIRED_FIELD", "methodCalls[0].methodName"),
        ({"chainId": None}, "MISSING_REQUIRED_FIELD", "chainId is required"),
        ({"chainId": -1}, "INVALID_NODE_CONFIG", "chainId must be"),
        ({"chainId": 5}, "INVALID_NODE_CONFIG", "chain 5 is not configured here"),
    ],
)
def test_a_configuration_that_can_not_work_is_refused(
    processor: ContractReadProcessor,
    rpc: CountedRpc,
    counter: Address,
    change: dict[str, JsonValue],
    code: str,
    says: str,
) -> None:
    good = read(counter, method("count"))
    node = PlanNode("r", "r", NodeType.CONTRACT_READ, {**good.config, **change}, 1)
    with pytest.raises(NodeError, match=says.replace("[", r"\[")) as failure:
        processor.run(node, Scope({}))
    assert failure.value.stable_code == code
    assert rpc.batches == []


def test_a_simulated_run_reads_what_it_has_written(chains: OneChain, counter: Address) -> None:
    # Given a run that has written in a simulation
    simulator = ChainSimulator(chains)
    added = SimulatedCall(HOLDER, counter, data=call_data("add(uint256)", word(3)))
    simulator.simulate("run", CHAIN_ID, added)
    # When it and another run read
    processor = ContractReadProcessor(chains, simulator)
    node = read(counter, method("count"), method("refuse"), method("sender"))
    own = processor.run(node, Scope({"aa_sender": HOLDER}, run_key="run"))
    other = processor.run(node, Scope({"aa_sender": HOLDER}, run_key="another"))
    # Then only it sees that, and all else is as on the chain
    assert own.data == {"count": "3", "sender": HOLDER}
    assert other.data == {"count": "0", "sender": HOLDER}
    assert own.error == other.error
    assert own.error is not None
    assert "Refused()" in own.error.message
