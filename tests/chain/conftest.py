"""One development chain for all tests here; each test starts from the same state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra_cdk.local.chain import start_chain
from infra_cdk.local.settings import LocalSettings
from tests.chain.rig import Rig

_CHAIN_ID = 11155111


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A chain with the published contracts."""
    started = start_chain(LocalSettings(), _CHAIN_ID, tmp_path_factory.mktemp("chain"))
    try:
        yield Rig(started.rpc_url, _CHAIN_ID)
    finally:
        started.process.stop()


@pytest.fixture
def rig(chain: Rig) -> Iterator[Rig]:
    """The chain, put back afterwards to what it was."""
    snapshot = chain.node.call("evm_snapshot")
    yield chain
    chain.node.call("evm_revert", snapshot)
