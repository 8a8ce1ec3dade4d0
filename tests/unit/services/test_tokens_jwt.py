"""Tokens: only what we signed, only while it lasts."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_engine.errors import Unauthenticated
from task_engine.services.tokens_jwt import TokenVerifier, issue_token

from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.machines import FakeSigner

SUBJECT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
SIGNER = FakeSigner()
LATER = START_MS // 1000 + 60


def _encode(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(header: object, claims: object) -> str:
    signed = f"{_encode(header)}.{_encode(claims)}"
    return f"{signed}.{_encode(SIGNER.sign(signed.encode()))}"


def _claims(**changes: object) -> dict[str, object]:
    claims = {"iss": "AvaProtocol", "sub": SUBJECT, "aud": ["1"], "exp": LATER, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def _verify(token: str) -> object:
    return TokenVerifier(SIGNER, FakeClock()).verify(token)


def test_the_document_is_the_contracts() -> None:
    header, claims, _ = issue_token(SIGNER, SUBJECT, 56, LATER).split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == _claims(aud=["56"])


def test_a_token_verifies_until_its_time_is_over() -> None:
    # Given a verified token
    clock = FakeClock()
    verifier = TokenVerifier(SIGNER, clock)
    token = issue_token(SIGNER, SUBJECT, 56, LATER)
    assert verifier.verify(token).chain_id == 56
    # When its time is over
    clock.forward(60_000)
    # Then it is refused, although it was remembered
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_a_verified_token_is_not_sent_to_the_key_again() -> None:
    signer = FakeSigner()
    verifier = TokenVerifier(signer, FakeClock())
    token = issue_token(signer, SUBJECT, 1, LATER)
    verifier.verify(token)
    verifier.verify(token)
    assert signer.verified == 1


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "RS256", "typ": "JWT"},
        {"alg": "hs256"},
        {},
        [],
        "HS256",
        b"\xff",
    ],
)
def test_no_other_algorithm_is_accepted_even_when_signed(header: object) -> None:
    with pytest.raises(Unauthenticated):
        _verify(_signed(header, _claims()))


@pytest.mark.parametrize(
    "claims",
    [
        _claims(iss="Somebody"),
        _claims(iss=None),
        _claims(sub=None),
        _claims(sub="0x12"),
        _claims(sub=7),
        _claims(exp=None),
        _claims(exp="never"),
        _claims(exp=True),
        _claims(exp=1),
        [],
        b"{",
    ],
)
def test_unusable_claims_are_refused(claims: object) -> None:
    with pytest.raises(Unauthenticated):
        _verify(_signed({"alg": "HS256"}, claims))


def test_a_token_without_signature_is_refused() -> None:
    header, claims, _ = issue_token(SIGNER, SUBJECT, 1, LATER).split(".")
    none = _encode({"alg": "none", "typ": "JWT"})
    for token in (f"{header}.{claims}.", f"{none}.{claims}.", f"{header}.{claims}", "", "..", "a"):
        with pytest.raises(Unauthenticated):
            _verify(token)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        _verify(issue_token(FakeSigner(b"another"), SUBJECT, 1, LATER))


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    token = issue_token(SIGNER, SUBJECT, 1, LATER)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AbZ09_-.").filter(lambda char: char != token[at]))
    with pytest.raises(Unauthenticated):
        _verify(token[:at] + other + token[at + 1 :])


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(Unauthenticated):
        _verify(text)


def test_a_huge_token_is_refused_before_the_key_sees_it() -> None:
    signer = FakeSigner()
    with pytest.raises(Unauthenticated):
        TokenVerifier(signer, FakeClock()).verify("a" * 100_000 + ".b.c")
    assert signer.verified == 0
