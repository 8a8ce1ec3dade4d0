"""From what a key service answers to signatures that chains take."""

from __future__ import annotations

import hashlib

import pytest
from eth_account import Account
from task_engine.errors import ConfigurationError
from task_engine.evm.signer import KmsSigner, LocalSigner, SigningFailed

from tests.fakes.keys import FakeKeys

KEY = "0x" + "4c" * 32
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
DIGESTS = [hashlib.sha256(bytes([n])).digest() for n in range(40)]


@pytest.mark.parametrize("high", [False, True])
def test_a_signature_is_low_and_recovers_to_the_keys_address(high: bool) -> None:
    signer = KmsSigner(FakeKeys(KEY, high=high), "key")
    assert signer.address == Account.from_key(KEY).address
    for digest in DIGESTS:
        signature = signer.sign(digest)
        assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
        assert signature[64] in (27, 28)
        assert Account._recover_hash(digest, signature=signature) == signer.address


def test_both_signers_of_one_key_agree() -> None:
    local, remote = LocalSigner(KEY), KmsSigner(FakeKeys(KEY, high=True), "key")
    assert remote.address == local.address
    assert [remote.sign(digest) for digest in DIGESTS] == [local.sign(digest) for digest in DIGESTS]


def test_the_public_key_is_asked_for_once() -> None:
    keys = FakeKeys(KEY)
    signer = KmsSigner(keys, "key")
    for digest in DIGESTS:
        signer.sign(digest)
    assert (signer.address, keys.asked) == (LocalSigner(KEY).address, 1)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_is_no_digest_is_not_signed(length: int) -> None:
    for signer in (LocalSigner(KEY), KmsSigner(FakeKeys(KEY), "key")):
        with pytest.raises(ValueError, match="32 bytes"):
            signer.sign(bytes(length))


class Answering(FakeKeys):
    """Answers a given signature or a given key description."""

    def __init__(self, signature: bytes = b"", described: bytes = b"") -> None:
        super().__init__(KEY)
        self._signature = signature
        self._described = described

    def public_key(self, key_id: str) -> bytes:
        return self._described or super().public_key(key_id)

    def sign(self, key_id: str, digest: bytes) -> bytes:
        return self._signature


GOOD = FakeKeys(KEY).sign("key", DIGESTS[0])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x30",
        GOOD[:-1],
        GOOD + b"\x00",
        b"\x31" + GOOD[1:],
        bytes.fromhex("3006020100020101"),
        bytes.fromhex("300602017f0201ff"),
        b"\x30\x81\x80" + bytes(128),
        FakeKeys("0x" + "11" * 32).sign("key", DIGESTS[0]),
    ],
)
def test_an_answer_that_is_no_signature_of_the_key_is_refused(answer: bytes) -> None:
    with pytest.raises(SigningFailed):
        KmsSigner(Answering(answer), "key").sign(DIGESTS[0])


def test_a_key_on_another_curve_is_a_mistake_of_the_deployment() -> None:
    p256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04" * 65
    with pytest.raises(ConfigurationError, match="ECC_SECG_P256K1"):
        _ = KmsSigner(Answering(described=p256), "key").address
