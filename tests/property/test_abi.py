"""Whatever a contract's types are: what we encode and decode is what eth_abi makes of it."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext

import eth_abi
from eth_abi.packed import encode_packed
from hypothesis import given, settings
from hypothesis import strategies as st
from task_engine.errors import NodeError
from task_engine.evm import words
from task_engine.evm.abi.coerce import coerce_all
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.formatting import apply_decimals
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.abi.parameter import parse_parameter
from task_engine.evm.abi.reverts import revert_reason
from web3 import Web3

UINT256 = st.integers(0, 2**256 - 1)
SIZES = st.integers(1, 32)

scalar_types = st.one_of(
    SIZES.map(lambda n: f"uint{8 * n}"),
    SIZES.map(lambda n: f"int{8 * n}"),
    SIZES.map(lambda n: f"bytes{n}"),
    st.sampled_from(["bool", "address", "string", "bytes"]),
)


def _parameters(depth: int) -> st.SearchStrategy[dict[str, object]]:
    """ABI entries of a type: scalars, arrays, structs, nested."""
    scalar = scalar_types.map(lambda kind: {"type": kind})
    if depth == 0:
        return scalar
    struct = st.lists(_parameters(depth - 1), min_size=1, max_size=3).map(
        lambda members: {
            "type": "tuple",
            "components": [{**member, "name": f"f{i}"} for i, member in enumerate(members)],
        }
    )
    brackets = st.sampled_from(["[]", "[1]", "[2]", "[][2]", "[2][]"])
    array = st.tuples(st.one_of(scalar, struct), brackets).map(
        lambda pair: {**pair[0], "type": str(pair[0]["type"]) + pair[1]}
    )
    return st.one_of(scalar, struct, array)


def _value(draw: st.DrawFn, raw: dict[str, object]) -> tuple[object, object]:
    """A typed value of the entry and one of the ways in which a user may write it."""
    kind = str(raw["type"])
    if kind.endswith("]"):
        inner, _, length = kind[:-1].rpartition("[")
        count = int(length) if length else draw(st.integers(0, 3))
        pairs = [_value(draw, {**raw, "type": inner}) for _ in range(count)]
        written: object = [pair[1] for pair in pairs]
        return [pair[0] for pair in pairs], draw(st.sampled_from([written, json.dumps(written)]))
    if kind == "tuple":
        members = raw["components"]
        assert isinstance(members, list)
        pairs = [_value(draw, member) for member in members]
        by_name = {m["name"]: pair[1] for m, pair in zip(members, pairs, strict=True)}
        written = draw(st.sampled_from([by_name, [pair[1] for pair in pairs]]))
        return tuple(p[0] for p in pairs), draw(st.sampled_from([written, json.dumps(written)]))
    return _scalar(draw, kind)


def _scalar(draw: st.DrawFn, kind: str) -> tuple[object, object]:
    if kind.startswith(("uint", "int")):
        bits = int(kind.removeprefix("u").removeprefix("int"))
        signed = kind.startswith("int")
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        number = draw(st.integers(low, high))
        sign = "-" if number < 0 else ""
        ways = [number, str(number), f" {number} ", hex(number), f"{sign}00{abs(number)}"]
        return number, draw(st.sampled_from(ways))
    if kind == "bool":
        truth = draw(st.booleans())
        return truth, draw(st.sampled_from([truth, str(truth), str(truth).lower(), int(truth)]))
    if kind == "address":
        raw = draw(st.binary(min_size=20, max_size=20))
        text = "0x" + raw.hex()
        return text, draw(st.sampled_from([text, Web3.to_checksum_address(text), f" {text} "]))
    if kind == "string":
        text = draw(st.text(st.characters(codec="utf-8")))
        return text, text
    size = int(kind.removeprefix("bytes") or 0)
    raw = draw(st.binary(min_size=size, max_size=size or 70))
    return raw, "0x" + raw.hex()


@st.composite
def calls(draw: st.DrawFn) -> tuple[AbiFunction, list[str], list[object], list[object]]:
    """A method, its types, typed values and how a user wrote them."""
    inputs = draw(st.lists(_parameters(2), max_size=4))
    entry = {"type": "function", "name": "run", "inputs": inputs, "outputs": inputs}
    pairs = [_value(draw, parameter) for parameter in inputs]
    types = [parse_parameter(parameter).type for parameter in inputs]
    method = ContractAbi.parse([entry]).function("run")
    return method, types, [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@given(calls())
@settings(max_examples=300, deadline=None)
def test_encoding_is_that_of_the_typed_values(
    call: tuple[AbiFunction, list[str], list[object], list[object]],
) -> None:
    method, types, typed, written = call
    expected = eth_abi.encode(types, typed)
    selector = Web3.keccak(text=f"run({','.join(types)})")[:4]

    assert method.encode(written) == selector + expected


@given(calls())
@settings(max_examples=300, deadline=None)
def test_what_is_decoded_can_be_written_back(
    call: tuple[AbiFunction, list[str], list[object], list[object]],
) -> None:
    method, types, typed, _ = call
    data = eth_abi.encode(types, typed)
    values = method.decode_outputs(data)

    assert json.loads(json.dumps(values)) == values
    again, problems = coerce_all(method.inputs, values)
    assert problems == []
    assert eth_abi.encode(types, again) == data
    assert method.decode_arguments(method.selector + data) == values


@given(calls(), st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_answers_raise_nothing_but_our_error(
    call: tuple[AbiFunction, list[str], list[object], list[object]], data: st.DataObject
) -> None:
    method, types, typed, _ = call
    honest = eth_abi.encode(types, typed)
    damage = data.draw(st.sampled_from(["cut", "flip", "noise"]))
    if damage == "cut":
        damaged = honest[: data.draw(st.integers(0, len(honest)))]
    elif damage == "flip" and honest:
        at = data.draw(st.integers(0, len(honest) - 1))
        damaged = honest[:at] + bytes([data.draw(st.integers(0, 255))]) + honest[at + 1 :]
    else:
        damaged = data.draw(st.binary(max_size=300))
    try:
        answer: object = len(method.decode_outputs(damaged))
    except NodeError as error:
        answer = error.stable_code
    assert answer in (len(types), "INVALID_NODE_CONFIG")


@given(st.binary(max_size=200))
def test_a_revert_always_has_a_reason(data: bytes) -> None:
    assert 0 < len(revert_reason(data)) <= 500
    assert revert_reason("0x" + data.hex()) == revert_reason(data)


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=80))
def test_a_contracts_words_are_the_reason(text: str) -> None:
    data = bytes.fromhex("08c379a0") + eth_abi.encode(["string"], [text])

    assert revert_reason(data) == "".join(c if c.isprintable() else " " for c in text)


@given(st.integers(-(2**255), 2**256 - 1), st.integers(0, 78))
def test_decimals_lose_nothing(raw: int, decimals: int) -> None:
    text = apply_decimals(raw, decimals)

    with localcontext() as context:
        context.prec = 200
        assert Decimal(text).scaleb(decimals) == raw
    assert "e" not in text.lower()
    assert text == "0" or not text.startswith("-0.") or raw < 0
    assert "." not in text or not text.endswith(("0", "."))


@given(UINT256, st.integers(-(2**255), -1), st.binary(min_size=20, max_size=20))
def test_words_are_those_of_the_library(number: int, negative: int, raw: bytes) -> None:
    address = "0x" + raw.hex()
    data = words.word(number) + words.word(negative) + words.address_word(address)

    assert data == eth_abi.encode(["uint256", "int256", "address"], [number, negative, address])
    assert words.read_word(data, 0) == number
    assert words.read_signed(data, 1) == negative
    assert words.read_address(data, 2) == Web3.to_checksum_address(address)


@given(st.text(st.characters(codec="utf-8"), max_size=100), st.binary(max_size=100))
def test_texts_are_read_whole_or_refused(text: str, noise: bytes) -> None:
    assert words.read_text(eth_abi.encode(["string"], [text])) == text
    packed = encode_packed(["string"], [text])[:32].ljust(32, b"\0")
    assert words.read_text(packed) == packed.rstrip(b"\0").decode("utf-8", errors="replace")
    try:
        read = words.read_text(noise)
    except words.ShortAnswer:
        return
    assert len(read) <= len(noise)
