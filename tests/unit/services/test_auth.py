"""Log-in: which messages become tokens, and which never do."""

from __future__ import annotations

import pytest
from task_engine.config import Limits, Settings
from task_engine.errors import InvalidRequest, Unauthenticated
from task_engine.services.auth import AuthService
from task_engine.services.tokens_jwt import TokenVerifier

from tests.fakes.clock import START_MS, FakeClock
from tests.fakes.machines import FakeSigner
from tests.fakes.stores import FakeGuards
from tests.unit.services.login import HOUR_MS, STRANGER, WALLET, message, sign


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def signer() -> FakeSigner:
    return FakeSigner()


@pytest.fixture
def auth(signer: FakeSigner, clock: FakeClock) -> AuthService:
    return AuthService(signer, FakeGuards(), Settings("t", "eu", Limits()), clock)


def test_a_signed_message_becomes_a_token_for_its_wallet(
    auth: AuthService, signer: FakeSigner, clock: FakeClock
) -> None:
    # Given a message that the wallet signed
    text = message(chain="56")
    # When it is exchanged
    login = auth.exchange(WALLET.address.lower(), sign(text), text)
    # Then the token verifies and speaks for the checksummed address until the message's expiry
    claims = TokenVerifier(signer, clock).verify(login.token)
    assert (claims.subject, claims.chain_id) == (WALLET.address, 56)
    assert login.expires_at == claims.expires_at * 1000 == START_MS + HOUR_MS


def test_a_token_lives_no_longer_than_the_stage_allows(auth: AuthService) -> None:
    text = message(expires_at=START_MS + 1000 * HOUR_MS)
    login = auth.exchange(WALLET.address, sign(text), text)
    assert login.expires_at == START_MS + 48 * HOUR_MS


def test_a_message_is_exchanged_once_even_after_the_token_is_over(
    auth: AuthService, clock: FakeClock
) -> None:
    # Given a message that outlives the longest token, exchanged once
    text = message(expires_at=START_MS + 1000 * HOUR_MS)
    auth.exchange(WALLET.address, sign(text), text)
    # When it is sent again, at once and after the token's end
    for later in (0, 100 * HOUR_MS):
        clock.forward(later)
        with pytest.raises(Unauthenticated) as refused:
            auth.exchange(WALLET.address, sign(text), text)
        # Then it is refused
        assert refused.value.stable_code == "AUTH_MESSAGE_USED"


def test_a_wrong_signature_does_not_use_the_message_up(auth: AuthService) -> None:
    text = message()
    with pytest.raises(Unauthenticated) as refused:
        auth.exchange(WALLET.address, sign(text, STRANGER), text)
    assert refused.value.stable_code == "AUTH_INVALID_SIGNATURE"
    assert auth.exchange(WALLET.address, sign(text), text).subject == WALLET.address


def test_the_wallet_line_binds_the_message_to_its_owner(auth: AuthService) -> None:
    # Given a message for another wallet, signed by ownerAddress
    text = message(wallet=STRANGER.address)
    with pytest.raises(Unauthenticated) as refused:
        auth.exchange(WALLET.address, sign(text), text)
    assert refused.value.stable_code == "AUTH_INVALID_SIGNATURE"


def test_an_expired_message_is_refused(auth: AuthService) -> None:
    text = message(expires_at=START_MS)
    with pytest.raises(Unauthenticated) as refused:
        auth.exchange(WALLET.address, sign(text), text)
    assert refused.value.stable_code == "AUTH_EXPIRED_MESSAGE"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        message(line_3="Chain: 1"),
        message(chain="0"),
        message(chain="-5"),
        message(chain="1e3"),
        message(chain="9" * 30),
        message(expires_at="2026-01-01T01:00:00Z"),
        message(expires_at="2026-13-01T01:00:00.000Z"),
        message(expires_at="tomorrow"),
        message(wallet="0x12"),
        message(wallet="0x" + "0" * 40),
        message(line_5="Wallet: 0x" + "1" * 40),
        message(line_2="URI: " + "x" * 5000),
    ],
)
def test_a_malformed_message_is_refused_with_its_place(auth: AuthService, text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        auth.exchange(WALLET.address, sign(text), text)
    assert {problem.path for problem in refused.value.problems} == {"message"}


def test_all_problems_are_named_at_once(auth: AuthService) -> None:
    text = message(chain="x", expires_at="y", wallet="z")
    with pytest.raises(InvalidRequest) as refused:
        auth.exchange("0x" + "0" * 40, sign(text), text)
    assert [p.path for p in refused.value.problems] == ["ownerAddress", *["message"] * 3]
