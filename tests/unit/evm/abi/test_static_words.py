"""Values of one word: the short way gives what the ABI library gives, or leaves it to it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_engine.evm.abi import codec
from task_engine.evm.abi.parameter import AbiParameter, parse_parameter
from task_engine.evm.abi.static_words import decode_words, encode_words

_SIZES = st.integers(1, 32).map(lambda count: count * 8)


def of(*types: str) -> list[AbiParameter]:
    return [parse_parameter({"name": "x", "type": each}) for each in types]


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[str, object]:
    """A type of one word and a value of it."""
    kind = draw(st.sampled_from(["uint", "int", "bool", "address", "bytes"]))
    if kind == "bool":
        return "bool", draw(st.booleans())
    if kind == "address":
        return "address", draw(st.binary(min_size=20, max_size=20))
    if kind == "bytes":
        size = draw(st.integers(1, 32))
        return f"bytes{size}", draw(st.binary(min_size=1, max_size=size))
    bits = draw(_SIZES)
    if kind == "uint":
        return f"uint{bits}", draw(st.integers(0, 2**bits - 1))
    return f"int{bits}", draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))


@given(st.lists(typed_values(), max_size=6))
def test_words_are_encoded_as_the_library_does(pairs: list[tuple[str, object]]) -> None:
    parameters = of(*(kind for kind, _ in pairs))
    values = [value for _, value in pairs]
    library = codec.encode([parameter.wire_type for parameter in parameters], values)
    assert encode_words(parameters, values) == library


@given(st.lists(typed_values(), max_size=6), st.binary(max_size=40))
def test_words_are_decoded_as_the_library_does(
    pairs: list[tuple[str, object]], more: bytes
) -> None:
    parameters = of(*(kind for kind, _ in pairs))
    data = codec.encode([p.wire_type for p in parameters], [value for _, value in pairs]) + more
    assert decode_words(parameters, data) == codec.decode_plain(parameters, data)


@given(typed_values(), st.binary(min_size=32, max_size=32))
def test_what_the_library_refuses_is_left_to_it(pair: tuple[str, object], data: bytes) -> None:
    parameters = of(pair[0])
    found = decode_words(parameters, data)
    if found is None:
        with pytest.raises(codec.Undecodable):
            codec.decode_plain(parameters, data)
    else:
        assert found == codec.decode_plain(parameters, data)


@pytest.mark.parametrize("kind", ["string", "bytes", "uint256[]", "bool[2]", "fixed128x18"])
def test_other_types_are_left_to_the_library(kind: str) -> None:
    assert decode_words(of("uint256", kind), bytes(96)) is None
    assert encode_words(of(kind), [b""]) is None


def test_too_little_data_is_left_to_the_library() -> None:
    assert decode_words(of("uint256", "bool"), bytes(63)) is None


def test_reading_words_does_not_load_the_library() -> None:
    code = (
        "import sys\n"
        "from task_engine.evm.abi.contract_abi import ContractAbi\n"
        "uint = {'name': '', 'type': 'uint256'}\n"
        "item = {'name': 'f', 'type': 'function', 'inputs': [uint], 'outputs': [uint]}\n"
        "f = ContractAbi.parse([item]).function('f')\n"
        "assert f.decode_outputs(f.encode(['7'])[4:]) == ['7']\n"
        "assert 'eth_abi' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
