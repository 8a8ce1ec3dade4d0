"""Tokens and assertions that only look like ours, sent to the API."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from Crypto.Signature import eddsa
from task_engine.services.jose import encode_part

from tests.fakes.machines import FakeSigner
from tests.unit.api.partner import _KEY as PARTNER_KEY
from tests.unit.api.partner import AUDIENCE, PARTNER, assertion, partner_registry
from tests.unit.api.world import OTHER, OWNER, World

HS256 = '{"alg":"HS256","typ":"JWT"}'


@pytest.fixture
def world() -> World:
    return World()


def claims(world: World, **changes: Any) -> str:
    now = world.clock.ms // 1000
    given = {"iss": "AvaProtocol", "sub": OWNER, "aud": ["1"], "exp": now + 60, **changes}
    return json.dumps({name: value for name, value in given.items() if value is not None})


def signed(world: World, header: str, body: str, key: FakeSigner | None = None) -> str:
    text = f"{encode_part(header.encode())}.{encode_part(body.encode())}"
    return f"{text}.{encode_part((key or world.signer).sign(text.encode()))}"


def by_public_text(world: World) -> str:
    """HMAC with a text that anybody knows instead of the key."""
    text = f"{encode_part(HS256.encode())}.{encode_part(claims(world).encode())}"
    mac = hmac.new(b"", text.encode(), hashlib.sha256).digest()
    return f"{text}.{encode_part(mac)}"


def longer_mac(world: World) -> str:
    header = '{"alg":"HS512"}'
    text = f"{encode_part(header.encode())}.{encode_part(claims(world).encode())}"
    return f"{text}.{encode_part(hmac.new(b'', text.encode(), hashlib.sha512).digest())}"


def unsigned(header: str) -> Callable[[World], str]:
    return lambda world: f"{encode_part(header.encode())}.{encode_part(claims(world).encode())}."


def with_claims(text: str) -> Callable[[World], str]:
    return lambda world: signed(world, HS256, text.replace("SUB", OWNER))


FOREVER = '"iss":"AvaProtocol","aud":["1"]'
TOKENS: dict[str, Callable[[World], str]] = {
    "no algorithm": unsigned('{"alg":"none"}'),
    "no algorithm, in capitals": unsigned('{"alg":"NONE"}'),
    "ours without a signature": unsigned(HS256),
    "two algorithms": lambda w: signed(w, '{"alg":"none","alg":"HS256"}', claims(w)),
    "another hash": longer_mac,
    "another hash, signed": lambda w: signed(w, '{"alg":"HS512"}', claims(w)),
    "a public key for a secret": lambda w: signed(w, '{"alg":"RS256"}', claims(w)),
    "an empty key": by_public_text,
    "another deployment's key": lambda w: signed(w, HS256, claims(w), FakeSigner(b"theirs")),
    "an extension": lambda w: signed(w, '{"alg":"HS256","crit":["b64"],"b64":false}', claims(w)),
    "another issuer": lambda w: signed(w, HS256, claims(w, iss="Somebody")),
    "issuers in a list": lambda w: signed(w, HS256, claims(w, iss=["AvaProtocol"])),
    "two subjects": with_claims('{"sub":"SUB","sub":"SUB","exp":9e11,' + FOREVER + "}"),
    "a subject in an object": lambda w: signed(w, HS256, claims(w, sub={"eq": OWNER})),
    "a subject with a line end": lambda w: signed(w, HS256, claims(w, sub=OWNER + "\n")),
    "no expiry": lambda w: signed(w, HS256, claims(w, exp=None)),
    "an expiry that is no number": with_claims('{"sub":"SUB","exp":NaN,' + FOREVER + "}"),
    "an endless expiry": with_claims('{"sub":"SUB","exp":1e999,' + FOREVER + "}"),
    "an expiry of many digits": with_claims(
        '{"sub":"SUB","exp":' + "9" * 5000 + "," + FOREVER + "}"
    ),
    "nested claims": with_claims("[" * 3000),
    "a huge token": lambda w: signed(w, HS256, claims(w, more="x" * 20_000)),
    "another alphabet": lambda w: signed(w, HS256, claims(w)).replace("-", "+") + "=",
    "a line end inside": lambda w: signed(w, HS256, claims(w)).replace(".", "\r\n.", 1),
    "two in one": lambda w: w.token() + "," + w.token(),
    "a signature of nothing": lambda w: ".." + encode_part(w.signer.sign(b".")),
}


@pytest.mark.parametrize("case", TOKENS)
@pytest.mark.parametrize("path", ["/workflows", "/health"])
def test_what_is_not_our_token_is_nobodys(world: World, case: str, path: str) -> None:
    answer = world.call("GET", path, token=TOKENS[case](world))
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_the_subject_counts_and_nothing_else_that_names_an_owner(world: World) -> None:
    # Given a token of ours that claims more than we ever write
    token = signed(world, HS256, claims(world, owner=OTHER, azp=OTHER, act={"sub": OTHER}))
    theirs = world.store_task(OTHER)
    # When it asks for another owner's task, in every place where an owner could be named
    answer = world.call(
        "GET", f"/workflows/{theirs.id}?owner={OTHER}", token=token, headers={"X-Owner": OTHER}
    )
    # Then there is no such task
    assert answer.status == 404


def sign_assertion(header: str, body: str) -> str:
    text = f"{encode_part(header.encode())}.{encode_part(body.encode())}"
    return f"{text}.{encode_part(eddsa.new(PARTNER_KEY, 'rfc8032').sign(text.encode()))}"


def partner_claims(world: World, more: str = "", exp: str = "") -> str:
    expiry = exp or str(world.clock.ms // 1000 + 600)
    return (
        f'{{"iss":"{PARTNER}","aud":"{AUDIENCE}","scope":"read","sub":"{OWNER}",'
        f'"exp":{expiry}{more}}}'
    )


EDDSA = '{"alg":"EdDSA"}'
ASSERTIONS: dict[str, Callable[[World], str]] = {
    "an expiry that is no number": lambda w: sign_assertion(EDDSA, partner_claims(w, exp="NaN")),
    "an endless expiry": lambda w: sign_assertion(EDDSA, partner_claims(w, exp="Infinity")),
    "an expiry beyond numbers": lambda w: sign_assertion(EDDSA, partner_claims(w, exp="1e400")),
    "two subjects": lambda w: sign_assertion(EDDSA, partner_claims(w, f',"sub":"{OTHER}"')),
    "two partners": lambda w: sign_assertion(EDDSA, partner_claims(w, f',"iss":"{PARTNER}"')),
    "an extension": lambda w: sign_assertion('{"alg":"EdDSA","crit":["x"]}', partner_claims(w)),
    "the public key as a secret": lambda w: _with_public_key(partner_claims(w)),
    "our own token": lambda w: w.token(),
    "no signature": lambda w: assertion(w.clock.ms, sub=OWNER).rpartition(".")[0] + ".",
}


def _with_public_key(body: str) -> str:
    text = f"{encode_part(HS256.encode())}.{encode_part(body.encode())}"
    key = partner_registry()[PARTNER].keys[1]
    return f"{text}.{encode_part(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize("case", ASSERTIONS)
def test_what_no_partner_meant_is_refused(world: World, case: str) -> None:
    header = {"X-Partner-Assertion": ASSERTIONS[case](world)}
    answer = world.call("GET", "/wallets", token="", headers=header)
    assert answer.status == 401
    assert answer.json["code"] in ("PARTNER_MALFORMED", "PARTNER_INVALID_SIGNATURE")


def test_the_cases_fail_for_their_own_reason(world: World) -> None:
    # Given the same makers of tokens and assertions, with nothing wrong
    token = signed(world, HS256, claims(world))
    header = {"X-Partner-Assertion": sign_assertion(EDDSA, partner_claims(world))}
    # Then both are taken
    assert world.call("GET", "/workflows", token=token).status == 200
    assert world.call("GET", "/wallets", token="", headers=header).status == 200
    assert base64.urlsafe_b64decode(token.split(".")[0] + "==").decode() == HS256
