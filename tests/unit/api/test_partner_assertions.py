"""Routes that partners may use, with assertions that they sign (RFC 8037)."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.errors import ConfigurationError
from task_engine.services.partners import parse_partners

from tests.unit.api.partner import OTHER_KEY, assertion, public_hex
from tests.unit.api.world import OTHER, OWNER, World


def test_a_partner_reads_the_wallets_of_a_user(world: World) -> None:
    # Given an assertion about a user, whose address is in lower case
    header = {"X-Partner-Assertion": assertion(world.clock.ms, sub=OTHER.lower())}
    # When the partner lists wallets without a token
    answer = world.call("GET", "/wallets", token="", headers=header)
    # Then it sees the user's
    assert answer.status == 200
    assert answer.json["data"][0]["address"] == world.first_wallet(OTHER)


def test_a_token_counts_more_than_an_assertion(world: World) -> None:
    header = {"X-Partner-Assertion": assertion(world.clock.ms, sub=OTHER)}
    answer = world.call("GET", "/wallets", headers=header)
    assert answer.json["data"][0]["address"] == world.first_wallet(OWNER)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"iss": "stranger"}, 401, "PARTNER_UNKNOWN"),
        ({"iss": None}, 401, "PARTNER_UNKNOWN"),
        ({"key": OTHER_KEY}, 401, "PARTNER_INVALID_SIGNATURE"),
        ({"alg": "none"}, 401, "PARTNER_MALFORMED"),
        ({"alg": "HS256"}, 401, "PARTNER_MALFORMED"),
        ({"exp": None}, 401, "PARTNER_MALFORMED"),
        ({"exp": True}, 401, "PARTNER_MALFORMED"),
        ({"exp": 1}, 401, "PARTNER_EXPIRED"),
        ({"exp": 10**11}, 401, "PARTNER_EXPIRED"),
        ({"nbf": 10**11}, 401, "PARTNER_EXPIRED"),
        ({"aud": "https://elsewhere.example.com"}, 401, "PARTNER_BAD_AUDIENCE"),
        ({"aud": None}, 401, "PARTNER_BAD_AUDIENCE"),
        ({"scope": "write"}, 403, "PARTNER_SCOPE_MISSING"),
        ({"scope": None}, 403, "PARTNER_SCOPE_MISSING"),
        ({"sub": None}, 401, "PARTNER_MALFORMED"),
        ({"sub": "nobody"}, 401, "PARTNER_MALFORMED"),
    ],
)
def test_an_assertion_that_does_not_hold_is_refused(
    world: World, changes: dict[str, Any], status: int, code: str
) -> None:
    given = {"sub": OWNER, **changes}
    header = {"X-Partner-Assertion": assertion(world.clock.ms, **given)}
    answer = world.call("GET", "/wallets", token="", headers=header)
    assert (answer.status, answer.json["code"]) == (status, code)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.", "é.e30.e30", "." * 9000])
def test_what_is_no_assertion_is_refused(world: World, text: str) -> None:
    answer = world.call("GET", "/wallets", token="", headers={"X-Partner-Assertion": text})
    assert (answer.status, answer.json["code"]) == (401, "PARTNER_MALFORMED")


def test_scopes_may_be_a_list(world: World) -> None:
    header = {"X-Partner-Assertion": assertion(world.clock.ms, sub=OWNER, scope=["read"])}
    assert world.call("GET", "/wallets", token="", headers=header).status == 200


def test_an_altered_claim_breaks_the_signature(world: World) -> None:
    mine = assertion(world.clock.ms, sub=OWNER).split(".")
    theirs = assertion(world.clock.ms, sub=OTHER).split(".")
    mixed = f"{mine[0]}.{theirs[1]}.{mine[2]}"
    answer = world.call("GET", "/wallets", token="", headers={"X-Partner-Assertion": mixed})
    assert answer.json["code"] == "PARTNER_INVALID_SIGNATURE"


def test_an_assertion_opens_no_route_of_owners(world: World) -> None:
    header = {"X-Partner-Assertion": assertion(world.clock.ms, sub=OWNER)}
    answer = world.call("GET", "/workflows", token="", headers=header)
    assert (answer.status, answer.json["code"]) == (401, "AUTH_REQUIRED")


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{", '{"p": {}}', '{"p": {"keys": []}}', '{"p": {"keys": ["zz"]}}', '{"p": 1}',
        f'{{"p": {{"keys": ["{public_hex()}"], "scopes": "read"}}}}',
    ],
)  # fmt: skip
def test_a_registry_that_can_not_be_read_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TASK_ENGINE_PARTNERS"):
        parse_partners(text)
