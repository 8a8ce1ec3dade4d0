"""Addresses: the vectors of EIP-55 and EIP-1014."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from task_engine.errors import InvalidRequest
from task_engine.evm.address import Address, is_address, keccak256
from task_engine.evm.create2 import create2_address

EIP_55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
ZEROS = "0x" + "00" * 20
EIP_1014 = [
    (ZEROS, "00" * 32, "00", "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"),
    (
        "0xdeadbeef00000000000000000000000000000000",
        "00" * 32,
        "00",
        "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3",
    ),
    (
        "0xdeadbeef00000000000000000000000000000000",
        "000000000000000000000000feed000000000000000000000000000000000000",
        "00",
        "0xD04116cDd17beBE565EB2422F2497E06cC1C9833",
    ),
    (ZEROS, "00" * 32, "deadbeef", "0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"),
    (
        "0x00000000000000000000000000000000deadbeef",
        "00" * 28 + "cafebabe",
        "deadbeef",
        "0x60f3f640a8508fC6a86d45DF051962668E1e8AC7",
    ),
    (ZEROS, "00" * 32, "", "0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"),
]


@pytest.mark.parametrize("expected", EIP_55)
@pytest.mark.parametrize("form", [str.lower, str.upper, str])
def test_checksum_is_that_of_eip_55_whatever_the_case(
    expected: str, form: Callable[[str], str]
) -> None:
    assert Address(form(expected)) == expected


def test_empty_text_hashes_to_the_known_keccak_digest() -> None:
    digest = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == digest


@pytest.mark.parametrize("text", ["", "0x", "0x12", "0x" + "g" * 40, "ab" * 20, "0x" + "a" * 41])
def test_other_text_is_no_address(text: str) -> None:
    assert not is_address(text)
    with pytest.raises(InvalidRequest) as refused:
        Address(text)
    assert refused.value.stable_code == "INVALID_ADDRESS"


@pytest.mark.parametrize(("deployer", "salt", "code", "expected"), EIP_1014)
def test_create2_follows_eip_1014(deployer: str, salt: str, code: str, expected: str) -> None:
    init_code_hash = keccak256(bytes.fromhex(code))
    assert create2_address(Address(deployer), bytes.fromhex(salt), init_code_hash) == expected
