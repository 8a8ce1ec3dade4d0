"""How many more transactions the sending account can pay for is told with each of them."""

from __future__ import annotations

import json

import pytest
from task_engine.evm.address import Address
from task_engine.evm.senders.failures import SenderUnfunded

from tests.chain.senders.world import CHAIN_ID, ChainWorld, Kept


def told(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, int]]:
    """(stage, chain, sends left) of each line that says so."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    return [(x["stage"], x["chain"], x["SendsLeft"]) for x in lines if "SendsLeft" in x]


def test_an_empty_purse_is_told_before_anything_fails(
    world: ChainWorld,
    counter: Address,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TASK_ENGINE_STAGE", "prod")
    # Given an account with much money, and one with next to nothing
    Kept().send(world, world.counting(world.wallet(), counter))
    [(stage, chain, rich)] = told(capsys)
    assert (stage, chain) == ("prod", str(CHAIN_ID))
    assert rich > 20
    world.bundler = world.funded_key(wei=1)
    with pytest.raises(SenderUnfunded):
        Kept().send(world, world.counting(world.wallet(), counter))
    assert told(capsys) == [("prod", str(CHAIN_ID), 0)]
