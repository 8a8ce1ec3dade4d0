"""Wallets, one-time names and the state store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from task_engine.aws.guard_repository import GuardRepository
from task_engine.aws.state_repository import StateRepository
from task_engine.aws.wallet_repository import WalletRepository
from task_engine.errors import NotFound, QuotaExceeded
from task_engine.ids import new_id
from task_engine.model.json_value import JsonValue
from task_engine.model.wallet import Wallet

from tests.fakes.clock import START_MS
from tests.integration.world import World, an_owner


def a_wallet(owner: str, salt: str, chain_id: int = 1) -> Wallet:
    return Wallet(owner, chain_id, f"0xWallet{salt}", "0xFactory", salt)


def test_wallets_are_per_owner_and_chain_and_sorted_by_salt_as_text(world: World) -> None:
    store, owner = WalletRepository(world.dynamo, world.settings), an_owner()
    for salt in ("2", "10", "1"):
        assert store.put(a_wallet(owner, salt), 5)
    store.put(a_wallet(owner, "7", chain_id=11), 5)
    store.put(a_wallet(an_owner(), "8"), 5)
    assert [wallet.salt for wallet in store.of_owner(owner, 1)] == ["1", "10", "2"]
    assert store.get(owner, 1, "0xWallet2") == a_wallet(owner, "2")
    assert store.get(owner, 11, "0xWallet2") is None
    assert store.find(owner, "0xWallet7") == a_wallet(owner, "7", chain_id=11)
    assert store.find(owner, "0xWallet8") is None


def test_a_wallet_that_is_there_is_not_new_even_at_the_bound(world: World) -> None:
    store, owner = WalletRepository(world.dynamo, world.settings), an_owner()
    assert store.put(a_wallet(owner, "0"), 1)
    assert not store.put(a_wallet(owner, "0"), 1)
    with pytest.raises(QuotaExceeded):
        store.put(a_wallet(owner, "1"), 1)
    assert store.put(a_wallet(owner, "1", chain_id=2), 1)


def test_hiding_changes_the_record_and_nothing_that_is_not_there(world: World) -> None:
    store, owner = WalletRepository(world.dynamo, world.settings), an_owner()
    wallet = a_wallet(owner, "0")
    with pytest.raises(NotFound):
        store.set_hidden(wallet, True)
    store.put(wallet, 1)
    assert store.set_hidden(wallet, True) == replace(wallet, hidden=True)
    assert store.get(owner, 1, wallet.address) == replace(wallet, hidden=True)


def test_a_name_is_taken_once_until_its_time_is_over(world: World) -> None:
    guards, name = GuardRepository(world.dynamo, world.settings), new_id()
    assert guards.take(name, 60, START_MS)
    assert not guards.take(name, 60, START_MS + 60_000)
    assert guards.take(name, 60, START_MS + 61_000)


def test_of_many_takers_one_gets_the_name(world: World) -> None:
    name = new_id()

    def take(_: int) -> bool:
        return GuardRepository(world.dynamo, world.settings).take(name, 60, START_MS)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(16))) == 1


def test_state_is_per_task_and_key(world: World) -> None:
    states = StateRepository(world.dynamo, world.packer, world.settings)
    one, other = states.of(new_id()), states.of(new_id())
    large: JsonValue = [f"{n * 7919:x}" for n in range(4000)]
    assert one.load() == {}
    one.save({"count": 1, "../x/": large, "none": None})
    one.save({"count": 2})
    assert one.load() == {"count": 2, "../x/": large, "none": None}
    assert other.load() == {}
    assert not [key for key in world.blobs() if ".." in key]
