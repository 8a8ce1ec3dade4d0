"""Known calls, and answers read word by word."""

from __future__ import annotations

import pytest
from eth_abi import encode
from task_engine.errors import InvalidRequest
from task_engine.evm import words
from web3 import Web3

ALICE = "0x52908400098527886E0F7030069857D2E4169EE7"


def test_call_data_is_the_selector_and_the_words() -> None:
    data = words.call_data("transfer(address,uint256)", words.address_word(ALICE), words.word(5))
    expected = Web3.keccak(text="transfer(address,uint256)")[:4]
    assert data == expected + encode(["address", "uint256"], [ALICE, 5])


@pytest.mark.parametrize("number", [2**256, -(2**255) - 1])
def test_a_word_has_a_range(number: int) -> None:
    with pytest.raises(OverflowError):
        words.word(number)


def test_an_address_is_checked() -> None:
    with pytest.raises(InvalidRequest):
        words.address_word("0x12")


@pytest.mark.parametrize("data", [b"", bytes(63)])
def test_a_short_answer_is_refused(data: bytes) -> None:
    with pytest.raises(words.ShortAnswer):
        words.read_word(data, 1)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (encode(["string"], ["USD Coin"]), "USD Coin"),
        (encode(["string"], [""]), ""),
        (b"MKR".ljust(32, b"\0"), "MKR"),
        (bytes(32), ""),
    ],
)
def test_a_text_or_a_word_of_text(data: bytes, text: str) -> None:
    assert words.read_text(data) == text


@pytest.mark.parametrize(
    "data", [b"", bytes(64), encode(["uint256", "uint256"], [32, 5]), b"\xff" * 64]
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(words.ShortAnswer):
        words.read_text(data)
