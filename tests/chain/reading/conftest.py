"""One chain for the tests of reading; each test deploys what it changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from eth_abi.abi import encode
from task_engine.evm.address import Address

from infra_cdk.local.chain import start_chain
from infra_cdk.local.contracts import DevelopmentNode
from infra_cdk.local.settings import LocalSettings
from tests.chain.reading.world import CHAIN_ID, CountedRpc, OneChain, deploy

_SALTS = count(1)


@pytest.fixture(scope="session")
def reading_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="task-engine-") as place:
        chain = start_chain(LocalSettings.for_own_stage(), CHAIN_ID, Path(place))
        yield chain.rpc_url
        chain.process.stop()


@pytest.fixture(scope="session")
def node(reading_url: str) -> DevelopmentNode:
    return DevelopmentNode(reading_url)


@pytest.fixture
def rpc(reading_url: str) -> CountedRpc:
    return CountedRpc(reading_url)


@pytest.fixture
def chains(rpc: CountedRpc) -> OneChain:
    return OneChain(rpc)


@pytest.fixture
def counter(node: DevelopmentNode) -> Address:
    """A Counter that no other test touches."""
    return deploy(node, "Counter", next(_SALTS))


@pytest.fixture
def token(node: DevelopmentNode) -> Address:
    """Six decimals, nobody holds any, no other test touches it."""
    arguments = encode(["string", "string", "uint8"], ["Test Dollar", "TUSD", 6])
    return deploy(node, "TestToken", next(_SALTS), arguments)
