"""One chain for these tests: they stop its blocks and turn them back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from task_engine.evm.address import Address

from infra_cdk.local.chain import start_chain
from infra_cdk.local.contracts import install_contracts, install_counter
from infra_cdk.local.settings import LocalSettings
from tests.chain.senders.world import CHAIN_ID, ChainWorld

# A bundler of others is a large installation: whoever has it names its folder.
collect_ignore = [] if os.environ.get("TASK_ENGINE_ALTO") else ["test_alto.py"]


@pytest.fixture(scope="session")
def sending_chain() -> Iterator[str]:
    """Its URL."""
    with tempfile.TemporaryDirectory(prefix="task-engine-") as place:
        chain = start_chain(LocalSettings.for_own_stage(), CHAIN_ID, Path(place))
        try:
            install_contracts(chain.rpc_url)
            yield chain.rpc_url
        finally:
            chain.process.stop()


@pytest.fixture
def world(sending_chain: str) -> ChainWorld:
    """New keys each time."""
    return ChainWorld(sending_chain)


@pytest.fixture(scope="session")
def counter(sending_chain: str) -> Address:
    return install_counter(sending_chain)
