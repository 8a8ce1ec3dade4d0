"""POST /auth:exchange."""

from __future__ import annotations

from tests.unit.api.world import World
from tests.unit.services.login import HOUR_MS, STRANGER, WALLET, iso, message, sign


def test_a_signature_becomes_a_token_that_the_api_accepts(world: World) -> None:
    # Given a signed message
    text = message()
    body = {"ownerAddress": WALLET.address.lower(), "signature": sign(text), "message": text}
    # When it is exchanged
    answer = world.call("POST", "/auth:exchange", body, token="")
    # Then the token works
    assert answer.status == 200
    assert answer.json["subject"] == WALLET.address
    assert answer.json["expiresAt"] == iso(world.clock.ms + HOUR_MS)
    assert world.call("GET", "/workflows", token=answer.json["token"]).status == 200
    # And the message can't be used again
    assert world.call("POST", "/auth:exchange", body, token="").json["code"] == "AUTH_MESSAGE_USED"


def test_a_wrong_signature_is_refused(world: World) -> None:
    text = message()
    signature = sign(text, STRANGER)
    body = {"ownerAddress": WALLET.address, "signature": signature, "message": text}
    answer = world.call("POST", "/auth:exchange", body, token="")
    assert (answer.status, answer.json["code"]) == (401, "AUTH_INVALID_SIGNATURE")
