"""Signatures of wallets (EIP-191), against an independent implementation."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st
from task_engine.errors import Unauthenticated
from task_engine.evm.signature import personal_message_hash, recover_signer

WALLET = Account.from_key("0x" + "46" * 32)
OTHER_V = {27: 0, 28: 1}


def _sign(text: str) -> bytes:
    return bytes(WALLET.sign_message(encode_defunct(text=text)).signature)


@given(st.text(max_size=300).filter(lambda text: text.isprintable()))
def test_the_signer_is_recovered_from_any_text(text: str) -> None:
    assert recover_signer(text.encode(), "0x" + _sign(text).hex()) == WALLET.address


def test_v_may_be_written_from_zero() -> None:
    # Given a signature whose v is 27 or 28
    raw = _sign("hello")
    # When v is written as 0 or 1
    written = raw[:64] + bytes([OTHER_V[raw[64]]])
    # Then the signer is the same
    assert recover_signer(b"hello", "0X" + written.hex()) == WALLET.address


def test_the_digest_is_that_of_personal_sign() -> None:
    digest = "50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750"
    assert personal_message_hash(b"hello").hex() == digest


def test_another_text_gives_another_signer() -> None:
    assert recover_signer(b"hullo", "0x" + _sign("hello").hex()) != WALLET.address


@pytest.mark.parametrize(
    "signature",
    ["", "0x", "0x1234", "zz", "0x" + "00" * 64 + "1b", "0x" + "ff" * 64 + "1b"]
    + ["0x" + "11" * 64 + v for v in ("02", "1a", "1d", "ff")],
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        recover_signer(b"hello", signature)
    assert refused.value.stable_code == "AUTH_INVALID_SIGNATURE"
