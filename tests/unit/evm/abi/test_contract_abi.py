"""The interface of a contract: read whole or refused with every fault, methods found by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_utils.abi import abi_to_signature, event_abi_to_log_topic, function_abi_to_4byte_selector
from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.parameter import MAX_DEPTH

from tests.unit.evm.abi.entries import error, event, function

ARTIFACTS = Path(__file__).parents[4] / "contracts" / "artifacts"
OVERLOADED = [
    function("mint", []),
    function("mint", ["uint256 n"]),
    function("mint", ["address to", "uint256 n"]),
    function("mint", ["uint256 n", "uint256 m"]),
    function("burn", ["uint256[] ids"]),
]


def test_entries_are_objects_or_their_texts() -> None:
    # Given entries in every accepted form, and some that have no name
    items = [
        function("a", []),
        json.dumps(function("b", [])),
        json.dumps([event("E"), error("F")]),
        {"type": "constructor", "inputs": []},
        {"type": "receive", "stateMutability": "payable"},
        {"name": "old", "constant": True, "inputs": []},
    ]

    # When they are parsed
    abi = ContractAbi.parse(items)

    # Then functions, events and errors are found
    assert [f.name for f in abi.functions] == ["a", "b", "old"]
    assert [e.name for e in abi.events] == ["E"]
    assert [e.name for e in abi.errors] == ["F"]
    assert abi.function("old").state_mutability == "view"
    assert abi.function("a").item == function("a", [])


@pytest.mark.parametrize("items", [None, [], ""])
def test_no_abi_is_a_missing_field(items: object) -> None:
    with pytest.raises(NodeError) as caught:
        ContractAbi.parse(items)
    assert caught.value.stable_code == "MISSING_REQUIRED_FIELD"
    assert caught.value.message == "contractAbi is required"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{", "must be an object"),
        (5, "must be an object"),
        ("[" * 100_000, "must be an object"),
        ({"type": "funktion", "name": "f"}, "'funktion' is not a kind of entry"),
        ({"type": "function"}, "no proper name"),
        ({"type": "function", "name": "a b"}, "no proper name"),
        ({"name": "f", "inputs": {}}, "must be lists"),
        ({"name": "f", "inputs": ["uint256"]}, "must be an object with a type"),
        ({"name": "f", "inputs": [{"name": "x"}]}, "must be texts"),
        (function("f", ["uint7 x"]), "function f: 'uint7' is not a type"),
        (function("f", ["uint264 x"]), "is not a type"),
        (function("f", ["bytes33 x"]), "is not a type"),
        (function("f", ["bytes0 x"]), "is not a type"),
        (function("f", ["address20 x"]), "is not a type"),
        (function("f", ["byte1 x"]), "is not a type"),
        (function("f", ["fixed8x81 x"]), "is not a type"),
        (function("f", ["uint8[0] x"]), "not an array that holds anything"),
        (function("f", ["uint8" + "[]" * 17 + " x"]), "not an array that holds anything"),
        (function("f", ["tuple x"]), "has no components"),
        (function("f", ["mapping(uint256=>bool) x"]), "is not a type"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named(entry: object, reason: str) -> None:
    with pytest.raises(NodeError, match=r"contractAbi\[1\]: ") as caught:
        ContractAbi.parse([function("ok", []), entry])
    assert reason in caught.value.message
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def test_structs_have_a_greatest_depth() -> None:
    # Given a struct in a struct in a struct ...
    nested: object = {"type": "uint8"}
    for _ in range(40):
        nested = {"type": "tuple", "components": [nested]}

    # When it is parsed; Then it is refused
    with pytest.raises(NodeError, match="nested deeper"):
        ContractAbi.parse([{"name": "f", "inputs": [nested]}])


def test_an_abi_has_a_greatest_size() -> None:
    with pytest.raises(NodeError, match="larger than 1 MB"):
        ContractAbi.parse([function("f" * 600_000, []), function("g" * 600_000, [])])


@pytest.mark.parametrize(
    ("kind", "canonical"),
    [
        ("uint", "uint256"),
        ("int[]", "int256[]"),
        ("byte", "bytes1"),
        ("fixed", "fixed128x18"),
        ("ufixed128x10[2][]", "ufixed128x10[2][]"),
        ("function", "function"),
    ],
)
def test_types_have_one_spelling(kind: str, canonical: str) -> None:
    abi = ContractAbi.parse([function("f", [f"{kind} x"])])
    assert abi.function("f").signature == f"f({canonical})"


@pytest.mark.parametrize(
    ("name", "params", "signature"),
    [
        ("mint", [], "mint()"),
        ("mint", ["1"], "mint(uint256)"),
        ("mint(uint256, uint)", ["1", "2"], "mint(uint256,uint256)"),
        (" mint(address,uint256) ", ["[1, 2]"], "mint(address,uint256)"),
        ("burn", ["[1,2,3]"], "burn(uint256[])"),
    ],
)
def test_overloads_are_told_apart(name: str, params: list[object], signature: str) -> None:
    assert ContractAbi.parse(OVERLOADED).function_for(name, params).signature == signature


def test_one_json_array_decides_between_overloads_too() -> None:
    # Given a function with two and with three parameters
    items = [
        function("f", ["uint8 a", "uint8 b"]),
        function("f", ["uint8 a", "uint8 b", "uint8 c"]),
    ]

    # When all of them are given as one array; Then its length decides
    assert len(ContractAbi.parse(items).function_for("f", ["[1,2,3]"]).inputs) == 3


def test_overloads_of_one_length_need_a_signature() -> None:
    with pytest.raises(NodeError, match="give the full signature: mint") as caught:
        ContractAbi.parse(OVERLOADED).function("mint", 2)
    assert "mint(address,uint256), mint(uint256,uint256)" in caught.value.message


def test_an_unknown_method_is_named_with_what_exists() -> None:
    with pytest.raises(NodeError) as caught:
        ContractAbi.parse(OVERLOADED).function("balanceOf", 1)
    assert caught.value.message == "method balanceOf is not in the ABI, which has burn, mint"
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def test_a_method_needs_a_name() -> None:
    with pytest.raises(NodeError) as caught:
        ContractAbi.parse(OVERLOADED).function("  ", 0)
    assert caught.value.stable_code == "MISSING_REQUIRED_FIELD"


@pytest.mark.parametrize("artifact", sorted(ARTIFACTS.glob("*.json")), ids=lambda path: path.stem)
def test_compiled_contracts_are_read_as_others_read_them(artifact: Path) -> None:
    # Given what a compiler wrote
    items = json.loads(artifact.read_text())["abi"]

    # When it is parsed; Then all entries have the signatures and hashes that eth_utils makes
    abi = ContractAbi.parse(items)
    entries = [*abi.functions, *abi.events, *abi.errors]
    named = [item for item in items if "name" in item]
    assert len(entries) == len(named)
    assert {e.signature for e in entries} == {abi_to_signature(item) for item in named}
    assert {f.selector for f in abi.functions} == {
        function_abi_to_4byte_selector(item) for item in items if item["type"] == "function"
    }
    assert {e.digest for e in abi.events} == {
        event_abi_to_log_topic(item) for item in items if item["type"] == "event"
    }


def test_the_most_nested_struct_is_decoded() -> None:
    # Given as many structs in one another as an ABI may have, with a wide one inside
    nested: object = {
        "type": "tuple",
        "name": "s",
        "components": [{"type": "uint8", "name": f"f{i}"} for i in range(32)],
    }
    for _ in range(MAX_DEPTH - 1):
        nested = {"type": "tuple", "name": "s", "components": [nested]}
    method = ContractAbi.parse([{"name": "f", "outputs": [nested]}]).function("f")

    # When an answer is decoded; Then it is not taken for one that is read again and again
    values = method.decode_outputs(bytes(32 * 32))
    assert str(values).count("'0'") == 32
