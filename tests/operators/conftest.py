"""The engine's own functions in this process, on an emulator's tables and queues; chains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.chain import start_chain
from infra_cdk.local.settings import LocalSettings
from tests.emulator import running_emulator
from tests.integration.tables import create_tables
from tests.operators.chain import LogChain
from tests.operators.engine import CHAIN_ID, Engine


@pytest.fixture(scope="session")
def emulated() -> Iterator[LocalAws]:
    """An emulator for the tests here."""
    with running_emulator() as emulator:
        yield LocalAws(emulator.endpoint)


@pytest.fixture
def quorum() -> int:
    """How many operators must tell the same."""
    return 1


@pytest.fixture
def engine(emulated: LocalAws, tmp_path: Path, quorum: int) -> Iterator[Engine]:
    """An engine with tables and queues that no other test uses, and its API on loopback."""
    prefix = f"{tmp_path.parent.name}-{tmp_path.name}-".replace("_", "-")[-60:]
    tables = create_tables(emulated.client("dynamodb"), prefix)
    with Engine(emulated, tables, prefix, quorum) as running:
        yield running


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LogChain]:
    """A chain of its own."""
    started = start_chain(LocalSettings(), CHAIN_ID, tmp_path)
    try:
        yield LogChain(started.rpc_url)
    finally:
        started.process.stop()
