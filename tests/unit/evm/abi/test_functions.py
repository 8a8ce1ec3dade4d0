"""Functions of a contract's interface: from what users write to call data, and back."""

from __future__ import annotations

import pytest
from eth_abi import encode
from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from web3 import Web3

from tests.unit.evm.abi.entries import function, method_of

ALICE = "0x52908400098527886E0F7030069857D2E4169EE7"


def test_a_call_is_encoded_as_web3_encodes_it() -> None:
    # Given an ERC-20's transfer
    items = [function("transfer", ["address to", "uint256 amount"])]
    method = ContractAbi.parse(items).function("transfer")

    # When a user's texts are encoded
    data = method.encode([f" {ALICE.lower()} ", "010"])

    # Then they are what web3 makes of the typed values, "010" being ten
    contract = Web3().eth.contract(abi=items)
    assert "0x" + data.hex() == contract.encode_abi("transfer", args=[ALICE, 10])


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("uint256", " 42 ", 42),
        ("uint8", "0xff", 255),
        ("int8", "-128", -128),
        ("uint256", 7, 7),
        ("uint256", 7.0, 7),
        ("uint256", str(2**256 - 1), 2**256 - 1),
        ("bool", "TRUE", True),
        ("bool", "0", False),
        ("bool", True, True),
        ("bool", 1, True),
        ("bytes", "0x00Ff", b"\x00\xff"),
        ("bytes", "h\u00e9", b"h\xc3\xa9"),
        ("bytes", "", b""),
        ("bytes4", "0xa9059cbb", bytes.fromhex("a9059cbb")),
        ("bytes32", "USD", b"USD"),
        ("string", "", ""),
        ("string", "[1]", "[1]"),
        ("string", 5, "5"),
        ("uint256[]", '[1, "2", "0x3"]', [1, 2, 3]),
        ("uint256[]", [], []),
        ("uint8[2][]", [["1", 2], "[3, 4]"], [[1, 2], [3, 4]]),
        ("uint", "1", 1),
    ],
)
def test_what_users_write_becomes_the_value(kind: str, written: object, value: object) -> None:
    data = method_of(f"{kind} x").encode([written])

    # Then it is the plain encoding of the typed value
    assert data[4:] == encode([kind], [value])


@pytest.mark.parametrize(
    ("kind", "written", "reason"),
    [
        ("uint8", "256", "out of range"),
        ("uint8", "-1", "out of range"),
        ("int8", "128", "out of range"),
        ("uint256", "1" * 5000, "out of range"),
        ("uint256", "1.5", "not a whole number"),
        ("uint256", "1e18", "not a whole number"),
        ("uint256", "1_000", "not a whole number"),
        ("uint256", "\u0661", "not a whole number"),
        ("uint256", "", "not a whole number"),
        ("uint256", 1.5, "not a whole number"),
        ("uint256", 1e30, "not a whole number"),
        ("uint256", True, "not a whole number"),
        ("uint256", None, "is missing"),
        ("bool", "yes", "neither true nor false"),
        ("bool", 2, "neither true nor false"),
        ("bytes", "0xabc", "pairs of hexadecimal"),
        ("bytes", "0xzz", "pairs of hexadecimal"),
        ("bytes", 5, "neither 0x"),
        ("bytes4", "0xa9059c", "needs 4 bytes, not 3"),
        ("bytes4", "hello", "needs 4 bytes, not 5"),
        ("bytes32", "", "needs 32 bytes, not 0"),
        ("string", "\ud800", "lone surrogate"),
        ("uint256[]", "1,2", "not JSON"),
        ("uint256[]", "5", "not a JSON array"),
        ("uint256[]", "[" * 100_000, "not JSON"),
        ("uint256[2]", "[1]", "needs 2 elements, not 1"),
    ],
)
def test_a_value_that_does_not_fit_names_the_place(kind: str, written: object, reason: str) -> None:
    # Given a method of one parameter; When something unfit is encoded
    with pytest.raises(NodeError, match=reason) as caught:
        method_of(f"{kind} amount").encode([written])

    # Then the error names the method and the parameter
    assert "method run: parameter 1 amount" in caught.value.message
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


ORDER = {
    "type": "tuple",
    "name": "order",
    "components": [
        {"type": "address", "name": "token"},
        {
            "type": "tuple[]",
            "name": "legs",
            "components": [{"type": "uint8", "name": "kind"}, {"type": "int256", "name": "amount"}],
        },
    ],
}


@pytest.mark.parametrize(
    "written",
    [
        {"token": ALICE, "legs": [{"kind": "1", "amount": "-5"}]},
        [ALICE, [[1, "-5"]]],
        f'{{"token": "{ALICE}", "legs": [{{"kind": "1", "amount": -5}}]}}',
        f'["{ALICE}", "[[1, -5]]"]',
    ],
)
def test_a_struct_is_an_object_or_an_array_or_the_text_of_one(written: object) -> None:
    # Given a method of one struct that holds a list of structs
    method = ContractAbi.parse([{"name": "run", "inputs": [ORDER]}]).function("run")

    # When it is encoded; Then every spelling is the same
    expected = encode(["(address,(uint8,int256)[])"], [(ALICE, [(1, -5)])])
    assert method.encode([written])[4:] == expected


def test_all_problems_of_a_call_are_told_at_once() -> None:
    # Given a method of a struct, an address and a number
    entry = {"name": "run", "inputs": [ORDER, *function("", ["address to", "uint8 n"])["inputs"]]}
    method = ContractAbi.parse([entry]).function("run")

    # When each of them is wrong
    with pytest.raises(NodeError) as caught:
        method.encode([{"token": ALICE, "legs": [[256, 1], {"kind": 1}]}, "0x12", "-1"])

    # Then each is named with its place and type
    assert caught.value.message == (
        "method run: parameter 1 order.legs[0].kind (uint8): 256 is out of range;"
        " parameter 1 order.legs[1] ((uint8,int256)): lacks the field amount;"
        ' parameter 2 to (address): "0x12" is not an address (0x and 40 hexadecimal digits);'
        ' parameter 3 n (uint8): "-1" is out of range'
    )
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


def test_only_addresses_wrong_has_a_code_of_its_own() -> None:
    with pytest.raises(NodeError) as caught:
        method_of("address a", "address b").encode(["0x12", "alice.eth"])
    assert caught.value.stable_code == "INVALID_ADDRESS"


def test_a_long_value_is_not_quoted_in_part() -> None:
    with pytest.raises(NodeError) as caught:
        method_of("uint256 n").encode(["secret-" * 20])
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("written", [["7", "8"], ["[7, 8]"], [[7, "8"]], ['["7", "0x8"]']])
def test_one_json_array_is_the_list_of_the_parameters(written: list[object]) -> None:
    method = method_of("uint256 a", "uint256 b")
    assert method.encode(written)[4:] == encode(["uint256", "uint256"], [7, 8])


@pytest.mark.parametrize("written", [[], ["1"], ["1", "2", "3"], ["[1]"], ["[1"]])
def test_the_number_of_parameters_must_fit(written: list[object]) -> None:
    with pytest.raises(NodeError, match=r"method run: run\(uint256,uint256\) takes 2 parameters"):
        method_of("uint256 a", "uint256 b").encode(written)


def test_outputs_are_json_without_loss() -> None:
    # Given an answer of every kind of value
    kinds = ("uint256 n", "int8 i", "bool ok", "address to", "bytes4 id", "bytes raw", "string s")
    method = method_of(outputs=(*kinds, "uint8[2][] grid"))
    types = [output.type for output in method.outputs]
    data = encode(
        types,
        [2**256 - 1, -1, True, ALICE.lower(), b"abcd", b"", "h\u00e9", [[1, 2]]],
    )

    # When it is decoded; Then numbers and booleans are texts and addresses checksummed
    values = method.decode_outputs(data)
    assert method.named_outputs(values) == {
        "n": str(2**256 - 1),
        "i": "-1",
        "ok": "true",
        "to": ALICE,
        "id": "0x61626364",
        "raw": "0x",
        "s": "h\u00e9",
        "grid": [["1", "2"]],
    }


@pytest.mark.parametrize(
    ("outputs", "values", "named"),
    [
        ((), [], None),
        (("uint256",), ["1"], "1"),
        (("uint256 x",), ["1"], {"x": "1"}),
        (("uint256", "bool ok"), ["1", "true"], {"output_0": "1", "ok": "true"}),
        (("uint256 x", "bool x"), ["1", "true"], {"x": "1", "output_1": "true"}),
    ],
)
def test_outputs_are_named(outputs: tuple[str, ...], values: list[object], named: object) -> None:
    assert method_of(outputs=outputs).named_outputs(values) == named


def test_structs_come_back_as_objects_when_their_fields_have_names() -> None:
    # Given an answer that is a struct, once with names and once without
    nameless = {"type": "tuple", "components": [{"type": "uint8"}, {"type": "bool"}]}
    named = {
        "type": "tuple",
        "components": [{"type": "uint8", "name": "a"}, {"type": "bool", "name": "b"}],
    }
    method = ContractAbi.parse([{"name": "run", "outputs": [named, nameless]}]).function("run")

    # When it is decoded; Then names make an object, no names an array
    data = encode(["(uint8,bool)", "(uint8,bool)"], [(1, True), (2, False)])
    assert method.decode_outputs(data) == [{"a": "1", "b": "true"}, ["2", "false"]]


def test_text_that_is_no_utf8_and_has_no_padding_is_still_read() -> None:
    data = (32).to_bytes(32, "big") + (3).to_bytes(32, "big") + b"a\xffb"
    assert method_of(outputs=("string",)).decode_outputs(data) == ["a\ufffdb"]


def test_an_answer_cannot_be_blown_up_by_pointers() -> None:
    # Given an answer in which 20,000 elements are the same 600 kB
    count, blob = 20_000, 600_000
    head = (32).to_bytes(32, "big") + count.to_bytes(32, "big")
    pointers = (32 * count).to_bytes(32, "big") * count
    data = head + pointers + blob.to_bytes(32, "big") + bytes(blob)

    # When it is decoded; Then it is refused before 12 GB are there
    with pytest.raises(NodeError, match="again and again"):
        method_of(outputs=("bytes[]",)).decode_outputs(data)


@pytest.mark.parametrize("data", [b"", bytes(31), b"\xff" * 64, (32).to_bytes(32, "big")])
def test_an_answer_that_does_not_fit_says_so(data: bytes) -> None:
    with pytest.raises(
        NodeError, match=r"method run: the answer does not fit the ABI's \(string\)"
    ):
        method_of(outputs=("string",)).decode_outputs(data)


def test_call_data_is_decoded_by_its_selector() -> None:
    # Given call data of one of the functions
    abi = ContractAbi.parse([function("a", ["uint256 x"]), function("b", ["bool y", "address z"])])
    data = abi.function("b").encode(["true", ALICE])

    # When its function is looked up; Then its arguments come back
    found = abi.by_selector(data[:4])
    assert found is not None
    assert found.name == "b"
    assert found.decode_arguments(data) == ["true", ALICE]
    assert abi.by_selector(b"\0\0\0\0") is None
    with pytest.raises(NodeError, match="not a call of a"):
        abi.function("a").decode_arguments(data)
