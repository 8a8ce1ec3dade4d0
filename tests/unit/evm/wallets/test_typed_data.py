"""The owner's signature of a grant is checked before it is kept."""

from __future__ import annotations

import pytest
from task_engine.errors import InvalidRequest
from task_engine.evm.signer import LocalSigner
from task_engine.evm.wallets.typed_data import owners_signature

OWNER = LocalSigner("0x" + "11" * 32)
DIGEST = bytes(range(32))
SIGNED = OWNER.sign(DIGEST)
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_both_ways_to_write_v_give_one_form() -> None:
    by_parity = SIGNED[:64] + bytes([SIGNED[64] - 27])

    assert owners_signature(DIGEST, OWNER.address, "0x" + SIGNED.hex()) == "0x" + SIGNED.hex()
    assert owners_signature(DIGEST, OWNER.address, "0x" + by_parity.hex()) == "0x" + SIGNED.hex()
    assert owners_signature(DIGEST, OWNER.address.lower(), "0x" + SIGNED.hex().upper())


@pytest.mark.parametrize(
    "signature",
    ["", "0x", "0x" + "00" * 65, "0x" + SIGNED[:64].hex(), SIGNED.hex(), "0x" + "ff" * 65],
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        owners_signature(DIGEST, OWNER.address, signature)
    assert raised.value.stable_code == "INVALID_SIGNATURE"


def test_somebody_elses_is_refused() -> None:
    other = LocalSigner("0x" + "22" * 32).sign(DIGEST)

    with pytest.raises(InvalidRequest, match="owner"):
        owners_signature(DIGEST, OWNER.address, "0x" + other.hex())


def test_the_high_twin_is_refused() -> None:
    high = _ORDER - int.from_bytes(SIGNED[32:64], "big")
    twin = SIGNED[:32] + high.to_bytes(32, "big") + bytes([55 - SIGNED[64]])

    with pytest.raises(InvalidRequest, match="low s"):
        owners_signature(DIGEST, OWNER.address, "0x" + twin.hex())
