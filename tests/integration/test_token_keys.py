"""Tokens under a key that is followed by a new one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.api.application import Application
from task_engine.aws.token_signer import KmsTokenSigner
from task_engine.errors import Unauthenticated
from task_engine.services.tokens_jwt import TokenVerifier, issue_token

from tests.integration.world import World
from tests.unit.api.world import World as ApiWorld
from tests.unit.services.login import HOUR_MS, WALLET, message, sign

OWNER = "0x" + "ab" * 20


def signer(world: World, **keys: str) -> KmsTokenSigner:
    """A process after a deployment with these keys."""
    names = {**world.settings.names, **keys}
    return KmsTokenSigner(world.client("kms"), replace(world.settings, names=names))


def new_key(world: World) -> str:
    made = world.boto.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return str(made["KeyMetadata"]["KeyId"])


def test_tokens_outlive_one_new_key_and_not_two(world: World) -> None:
    # Given tokens of before and after a new key
    first, second, third = (new_key(world) for _ in range(3))
    until = world.clock.now_ms() // 1000 + 3600
    before = issue_token(signer(world, TOKEN_KEY=first), OWNER, 1, until)
    rotated = signer(world, TOKEN_KEY=second, EARLIER_TOKEN_KEY=first)
    after = issue_token(rotated, OWNER, 1, until)
    # Then both hold, each at the cost of the calls it takes
    for token, calls in ((after, 1), (before, 2)):
        world.operations()
        assert TokenVerifier(rotated, world.clock).verify(token).subject == OWNER
        assert world.operations() == ["VerifyMac"] * calls
    # And after another one, or once the first is refused, only those of the keys that are left
    twice = signer(world, TOKEN_KEY=third, EARLIER_TOKEN_KEY=second)
    assert TokenVerifier(twice, world.clock).verify(after).subject == OWNER
    for only in (twice, signer(world, TOKEN_KEY=second)):
        with pytest.raises(Unauthenticated):
            TokenVerifier(only, world.clock).verify(before)


def test_a_token_of_nobodys_key_is_refused_by_both(world: World) -> None:
    known, other = new_key(world), new_key(world)
    foreign = issue_token(signer(world, TOKEN_KEY=new_key(world)), OWNER, 1, 2**33)
    both = signer(world, TOKEN_KEY=known, EARLIER_TOKEN_KEY=other)
    with pytest.raises(Unauthenticated):
        TokenVerifier(both, world.clock).verify(foreign)


class Deployed(ApiWorld):
    """The whole API in new processes, its tokens by these keys."""

    def __init__(self, stored: World, **keys: str) -> None:
        self._keys = signer(stored, **keys)
        super().__init__()

    def _build(self) -> dict[str, Application]:
        self.signer = self._keys  # type: ignore[assignment]
        return super()._build()

    def log_in(self, hours: int) -> str:
        """A token by a signed message, for so long."""
        text = message(self.clock.ms + hours * HOUR_MS)
        body = {"ownerAddress": WALLET.address, "signature": sign(text), "message": text}
        answer = self.call("POST", "/auth:exchange", body, token="")
        assert answer.status == 200, answer.text
        return str(answer.json["token"])

    def asks(self, token: str) -> tuple[int, str]:
        """How a route answers that token."""
        answer = self.call("GET", "/workflows", token=token)
        return answer.status, answer.json.get("code", "")


REFUSED = (401, "AUTH_INVALID_TOKEN")


def test_a_session_of_the_key_before_lasts_until_its_own_end(world: World) -> None:
    # Given two sessions, and a deployment with a new key
    first, second = new_key(world), new_key(world)
    before = Deployed(world, TOKEN_KEY=first)
    short, long = before.log_in(1), before.log_in(24)
    after = Deployed(world, TOKEN_KEY=second, EARLIER_TOKEN_KEY=first)
    # Then both go on, and new ones are made with the new key alone
    fresh = after.log_in(24)
    assert [after.asks(token)[0] for token in (short, long, fresh)] == [200] * 3
    assert before.asks(fresh) == REFUSED
    # And each ends at its own time, whatever was remembered of it
    after.clock.forward(HOUR_MS)
    assert [after.asks(token) for token in (short, long, fresh)] == [REFUSED, (200, ""), (200, "")]


def test_sessions_of_a_key_that_dropped_out_are_over_at_once(world: World) -> None:
    first, second, third = (new_key(world) for _ in range(3))
    oldest = Deployed(world, TOKEN_KEY=first).log_in(24)
    older = Deployed(world, TOKEN_KEY=second, EARLIER_TOKEN_KEY=first).log_in(24)
    now = Deployed(world, TOKEN_KEY=third, EARLIER_TOKEN_KEY=second)
    assert now.asks(older)[0] == 200
    assert now.asks(oldest) == REFUSED
    # A token whose header or claims are another's, under a MAC of the present key, is nobody's
    head, claims, _ = now.log_in(24).split(".")
    assert now.asks(f"{head}.{claims}.{oldest.split('.')[2]}") == REFUSED


@pytest.mark.parametrize("end", ["disable_key", "schedule_key_deletion"])
def test_a_key_before_that_was_taken_away_refuses_and_breaks_nothing(
    world: World, end: str
) -> None:
    # Given a session of a key that somebody takes away while functions still name it
    first, second = new_key(world), new_key(world)
    gone = Deployed(world, TOKEN_KEY=first).log_in(24)
    now = Deployed(world, TOKEN_KEY=second, EARLIER_TOKEN_KEY=first)
    fresh = now.log_in(24)
    getattr(world.boto.client("kms"), end)(KeyId=first)
    # Then it is over, and others are not
    assert now.asks(gone) == REFUSED
    assert now.asks(fresh)[0] == 200
    assert now.asks(fresh[:-4] + "AAAA") == REFUSED
