"""Session policies: prepared, signed by the owner, used, replaced, revoked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.wallets import CONTROLLER
from tests.unit.api.partner import assertion
from tests.unit.api.world import CHAIN, OTHER, World
from tests.unit.services.login import STRANGER, WALLET, sign

TOKEN = "0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238"
TRANSFER = "0xa9059cbb"


def policy(**changes: Any) -> dict[str, Any]:
    given = {
        "chainId": CHAIN,
        "agentLabel": "payroll",
        "allowedActions": [{"target": TOKEN.lower(), "selectors": [TRANSFER, "0x095EA7B3"]}],
        "erc20SpendCap": {"token": TOKEN, "amount": "1000"},
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def action(**changes: Any) -> dict[str, Any]:
    """A policy of one action that differs from a sound one."""
    return {"allowedActions": [{"target": TOKEN, "selectors": [TRANSFER], **changes}]}


def path(world: World, rest: str = "") -> str:
    return f"/wallets/{world.first_wallet()}/policies{rest}"


def prepared(world: World, **changes: Any) -> dict[str, Any]:
    asked = {**policy(**changes), "expiresInSeconds": 3600}
    answer = world.call("POST", path(world, ":prepare"), asked)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def submission(world: World, found: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The prepared policy, echoed with the owner's signature."""
    signer = changes.pop("signer", WALLET)
    echo = ("policyId", "chainId", "entityId", "deadline", "validUntil")
    signature = sign(found["typedData"]["message"]["terms"], signer)
    return {**policy(), **{name: found[name] for name in echo}, "signature": signature, **changes}


def submitted(world: World, **changes: Any) -> dict[str, Any]:
    body = submission(world, prepared(world, **changes), **changes)
    answer = world.call("POST", path(world, ":submit"), body)
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_prepared_policy_says_what_to_sign_and_stores_nothing(world: World) -> None:
    found = prepared(world)
    assert found["sessionSigner"] == CONTROLLER
    assert found["entityId"] == 1
    assert found["validUntil"] == world.clock.ms // 1000 * 1000 + 3_600_000
    assert found["deadline"] == world.clock.ms // 1000 + 30 * 86_400
    assert found["digest"].startswith("0x")
    assert world.call("GET", path(world)).json == {"items": []}


def test_a_signed_policy_is_active_and_told_as_it_was_asked_for(world: World) -> None:
    found = submitted(world, justification="salaries")
    assert found["status"] == "active"
    assert found["supersededPolicyIds"] == []
    one = world.call("GET", path(world, f"/{found['id']}")).json
    assert one == {
        "id": found["id"],
        "runner": world.first_wallet(),
        "chainId": CHAIN,
        "status": "active",
        "entityId": 1,
        "sessionSigner": CONTROLLER,
        "agentLabel": "payroll",
        "validUntil": found["validUntil"],
        "createdAt": world.clock.ms,
        "allowedActions": [{"target": TOKEN, "selectors": [TRANSFER, "0x095ea7b3"]}],
        "erc20SpendCap": {"token": TOKEN, "amount": "1000"},
        "gasCap": "50000000000000000",
        "justification": "salaries",
    }


def test_a_gas_cap_is_the_stages_unless_one_is_named(world: World) -> None:
    assert prepared(world)["gasCap"] == str(world.limits.grant_gas_cap_wei)
    found = submitted(world, gasCap="0")
    assert found["gasCap"] == "0"
    assert world.grants.rows[-1].gas_cap == 0
    # And one that was not signed for is no use
    body = submission(world, prepared(world), gasCap="1")
    answer = world.call("POST", path(world, ":submit"), body)
    assert (answer.status, answer.json["code"]) == (400, "POLICIES_BAD_SIGNATURE")


def test_a_new_policy_takes_the_place_of_the_old_one(world: World) -> None:
    first = submitted(world)
    second = submitted(world)
    assert second["supersededPolicyIds"] == [first["id"]]
    assert second["entityId"] == 2
    items = world.call("GET", path(world)).json["items"]
    assert [(item["id"], item["status"]) for item in items] == [
        (second["id"], "active"),
        (first["id"], "revoked"),
    ]


def test_of_two_prepared_policies_only_the_first_submitted_is_taken(world: World) -> None:
    one, other = prepared(world), prepared(world)
    assert world.call("POST", path(world, ":submit"), submission(world, one)).status == 201
    late = world.call("POST", path(world, ":submit"), submission(world, other))
    assert (late.status, late.json["code"]) == (409, "POLICIES_ENTITY_TAKEN")


def test_a_revoked_policy_comes_with_the_call_that_ends_it_on_chain(world: World) -> None:
    found = submitted(world)
    answer = world.call("DELETE", path(world, f"/{found['id']}"))
    cleanup = {
        "entityId": 1,
        "target": world.first_wallet(),
        "callData": "0x00000001",
        "chainId": CHAIN,
    }
    assert answer.json == {
        "status": "revoked",
        "onChainCleanupRequired": True,
        "onChainCleanup": cleanup,
    }
    assert world.call("GET", path(world, f"/{found['id']}")).json["onChainCleanup"] == cleanup
    # And once its time is over there is nothing left to end
    world.clock.ms += 3_600_000
    assert world.call("DELETE", path(world, f"/{found['id']}")).json == {
        "status": "revoked",
        "onChainCleanupRequired": False,
    }


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"signer": STRANGER}, 400, "POLICIES_BAD_SIGNATURE"),
        ({"erc20SpendCap": {"token": TOKEN, "amount": "2000"}}, 400, "POLICIES_BAD_SIGNATURE"),
        ({"policyId": "0x" + "00" * 32}, 400, "POLICIES_BAD_SIGNATURE"),
        ({"signature": "0x" + "00" * 65}, 400, "POLICIES_BAD_SIGNATURE"),
        ({"chainId": 5}, 400, "POLICIES_BAD_CHAIN_ID"),
        ({"deadline": 1}, 400, "POLICIES_EXPIRED"),
        ({"deadline": 10**12}, 400, "POLICIES_BAD_REQUEST"),
        ({"validUntil": 1000}, 400, "POLICIES_EXPIRED"),
        ({"entityId": 0}, 400, "INVALID_REQUEST"),
        ({"signature": "0x12"}, 400, "POLICIES_BAD_REQUEST"),
        ({"surprise": 1}, 400, "INVALID_REQUEST"),
    ],
)
def test_a_submission_that_does_not_hold_stores_nothing(
    world: World, changes: dict[str, Any], status: int, code: str
) -> None:
    body = submission(world, prepared(world), **changes)
    answer = world.call("POST", path(world, ":submit"), body)
    assert answer.status == status, answer.text
    assert code in {answer.json.get("code"), *(c for _, c in answer.problems)}
    assert world.call("GET", path(world)).json == {"items": []}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"chainId": None}, "chainId"),
        ({"agentLabel": None}, "agentLabel"),
        ({"agentLabel": "x" * 121}, "agentLabel"),
        ({"justification": "x" * 501}, "justification"),
        ({"allowedActions": None}, "allowedActions"),
        ({"allowedActions": []}, "allowedActions"),
        ({"allowedActions": [7]}, "allowedActions[0]"),
        (action(target="0x1"), "allowedActions[0].target"),
        (action(selectors=[]), "allowedActions[0].selectors"),
        (action(selectors=["0x1"]), "allowedActions[0].selectors[0]"),
        (action(maxValue="-1"), "allowedActions[0].maxValue"),
        (action(x=1), "allowedActions[0].x"),
        ({"erc20SpendCap": None}, "erc20SpendCap.token"),
        ({"erc20SpendCap": {"token": TOKEN, "amount": "many"}}, "erc20SpendCap.amount"),
        ({"erc20SpendCap": {"token": TOKEN, "amount": str(2**256)}}, "erc20SpendCap.amount"),
        ({"gasCap": "-1"}, "gasCap"),
        ({"gasCap": str(2**256)}, "gasCap"),
        ({"gasCap": 5}, "gasCap"),
        ({"expiresInSeconds": 59}, "expiresInSeconds"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_policy_is_told_by_place(
    world: World, changes: dict[str, Any], place: str
) -> None:
    asked = {**policy(**changes), "expiresInSeconds": changes.get("expiresInSeconds", 60)}
    answer = world.call("POST", path(world, ":prepare"), asked)
    assert answer.status == 400
    assert place in {path for path, _ in answer.problems}


def test_a_deployment_without_a_key_offers_no_policies(world: World) -> None:
    world.desk.key = ""
    answer = world.call("POST", path(world, ":prepare"), {**policy(), "expiresInSeconds": 60})
    assert (answer.status, answer.json["code"]) == (501, "NOT_IMPLEMENTED")


def test_a_changed_epoch_makes_an_old_signature_worthless(world: World) -> None:
    found = prepared(world)
    world.desk.epochs[world.first_wallet()] = 1
    answer = world.call("POST", path(world, ":submit"), submission(world, found))
    assert answer.json["code"] == "POLICIES_BAD_SIGNATURE"


def test_partners_are_refused_whatever_they_send(world: World) -> None:
    for header in (assertion(world.clock.ms, sub=OTHER), "nonsense"):
        answer = world.call("GET", path(world), headers={"X-Partner-Assertion": header})
        assert (answer.status, answer.json["code"]) == (403, "PARTNER_NOT_ALLOWED")


def test_a_malformed_wallet_and_an_unknown_policy(world: World) -> None:
    assert world.call("GET", "/wallets/0x12/policies").json["code"] == "WALLETS_BAD_ADDRESS"
    assert world.call("GET", path(world, "/0x12")).json["code"] == "POLICIES_NOT_FOUND"
