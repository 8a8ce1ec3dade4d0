"""A world for each test."""

from __future__ import annotations

import pytest
from task_engine.evm.address import Address

from tests.chain.rig import Rig
from tests.chain.writing.world import WriteWorld


@pytest.fixture
def world(rig: Rig) -> WriteWorld:
    """An owner with a wallet that has money and is not deployed."""
    made = WriteWorld(rig)
    rig.fund(Address(made.wallet.address))
    return made
