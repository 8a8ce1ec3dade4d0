"""Smart wallets: listed, created, hidden, counted."""

from __future__ import annotations

import pytest
from task_engine.config import Limits
from task_engine.evm.address import Address
from task_engine.model.task import TaskStatus

from tests.fakes.wallets import FACTORY
from tests.unit.api.world import CHAIN, OTHER, OWNER, World


def _derived(world: World, salt: int, owner: Address = OWNER) -> str:
    return world.factories.address(CHAIN, FACTORY, owner, salt)


def test_the_first_list_creates_and_has_the_wallet_of_salt_zero(world: World) -> None:
    for _ in range(2):
        answer = world.call("GET", "/wallets")
        assert answer.json == {
            "data": [
                {
                    "address": _derived(world, 0),
                    "salt": "0",
                    "factoryAddress": FACTORY,
                    "isHidden": False,
                }
            ]
        }
    assert len(world.wallet_rows.rows) == 1


def test_creating_is_idempotent_and_counts(world: World) -> None:
    # Given a task of the wallet of salt 0, and a paused one
    world.store_task()
    world.store_task(status=TaskStatus.DISABLED)
    # When wallets are created, one of them again in hexadecimal
    known = world.call("POST", "/wallets", {"salt": "0"})
    new = world.call("POST", "/wallets", {"salt": "12"})
    again = world.call("POST", "/wallets", {"salt": "0xC"})
    # Then only one is new, and the first has the tasks
    assert [known.status, new.status, again.status] == [200, 201, 200]
    assert new.json == again.json
    assert (new.json["salt"], new.json["address"]) == ("12", _derived(world, 12))
    assert new.json["totalWorkflowCount"] == 0
    assert {name: n for name, n in known.json.items() if name.endswith("Count")} == {
        "totalWorkflowCount": 2,
        "enabledWorkflowCount": 1,
        "completedWorkflowCount": 0,
        "failedWorkflowCount": 0,
        "disabledWorkflowCount": 1,
    }


def test_wallets_are_sorted_by_salt_as_text_and_hidden_ones_stay(world: World) -> None:
    for salt in ("2", "10", "1"):
        world.call("POST", "/wallets", {"salt": salt})
    address = _derived(world, 10)
    hidden = world.call("PATCH", f"/wallets/0X{address[2:].upper()}", {"isHidden": True})
    assert (hidden.status, hidden.json["isHidden"]) == (200, True)
    rows = world.call("GET", "/wallets").json["data"]
    assert [(row["salt"], row["isHidden"]) for row in rows] == [
        ("0", False),
        ("1", False),
        ("10", True),
        ("2", False),
    ]


@pytest.mark.parametrize("salt", ["-12", "abc", "0x", "1.5", " 1", "", None, True, str(2**256), []])
def test_an_unusable_salt_is_refused(world: World, salt: object) -> None:
    answer = world.call("POST", "/wallets", {"salt": salt})
    assert answer.status == 400
    assert {path for path, _ in answer.problems} == {"salt"}
    assert not world.wallet_rows.rows


def test_the_largest_salt_is_a_salt(world: World) -> None:
    assert world.call("POST", "/wallets", {"salt": str(2**256 - 1)}).status == 201


def test_salt_and_factory_are_refused_together(world: World) -> None:
    answer = world.call("POST", "/wallets", {"salt": "-1", "factoryAddress": "0x1234"})
    assert answer.problems == {
        ("salt", "WALLETS_BAD_SALT"),
        ("factoryAddress", "WALLETS_BAD_ADDRESS"),
    }


def test_the_quota_is_per_chain() -> None:
    world = World(limits=Limits(max_wallets_per_chain=2))
    statuses = [world.call("POST", "/wallets", {"salt": str(n)}).status for n in range(3)]
    assert statuses == [201, 201, 429]
    elsewhere = {"salt": "2", "chainId": 84532}
    assert world.call("POST", "/wallets", elsewhere).status == 201


def test_the_chain_is_the_querys_then_the_tokens(world: World) -> None:
    world.call("POST", "/wallets", {"salt": "7"})
    there = world.call("GET", "/wallets?chainId=84532").json["data"]
    assert [row["salt"] for row in there] == ["0"]
    here = world.call("GET", "/wallets", token=world.token(chain_id=CHAIN)).json["data"]
    assert [row["salt"] for row in here] == ["0", "7"]


@pytest.mark.parametrize("chain", ["0", "-1", "x", "1.5", "9" * 30, "٣"])
def test_an_unusable_chain_is_refused(world: World, chain: str) -> None:
    answer = world.call("GET", f"/wallets?chainId={chain}")
    assert (answer.status, answer.problems) == (400, {("chainId", "WALLETS_BAD_CHAIN_ID")})


@pytest.mark.parametrize("body", [{}, {"isHidden": "yes"}, {"isHidden": True, "salt": "1"}])
def test_a_patch_changes_just_whether_it_is_hidden(world: World, body: object) -> None:
    address = world.first_wallet()
    assert world.call("PATCH", f"/wallets/{address}", body).status == 400


def test_unknown_foreign_and_malformed_wallets(world: World) -> None:
    world.first_wallet(OTHER)
    for address in (_derived(world, 0, OTHER), _derived(world, 99)):
        answer = world.call("PATCH", f"/wallets/{address}", {"isHidden": True})
        assert (answer.status, answer.json["code"]) == (404, "WALLETS_NOT_FOUND")
    assert world.call("PATCH", "/wallets/0x1234", {"isHidden": True}).status == 400


def test_an_owners_wallets_are_the_derived_and_the_recorded_ones(world: World) -> None:
    # Given a recorded wallet beyond the first salts
    world.call("POST", "/wallets", {"salt": "1000"})
    owns = world.wallets.owns
    # Then the first salts are the owner's unrecorded, others only recorded
    assert owns(OWNER, _derived(world, 0).lower())
    assert owns(OWNER, _derived(world, 4))
    assert owns(OWNER, _derived(world, 1000))
    assert not owns(OWNER, _derived(world, 999))
    assert not owns(OTHER, _derived(world, 1000))
    assert not owns(OWNER, OWNER)
    assert not owns(OWNER, "0x12")
