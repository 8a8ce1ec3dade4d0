"""Tokens under a key that is followed by a new one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from task_engine.aws.token_signer import KmsTokenSigner
from task_engine.errors import Unauthenticated
from task_engine.services.tokens_jwt import TokenVerifier, issue_token

from tests.integration.world import World

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
