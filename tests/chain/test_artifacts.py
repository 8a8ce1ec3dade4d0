"""The committed bytecode is what the sources give, and stands where it says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.local.contracts import ARTIFACTS, canonical_deployments
from infra_cdk.local.settings import ROOT
from tests.chain.rig import Rig


@pytest.fixture(scope="module")
def recompiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("artifacts")
    subprocess.run(["node", str(ROOT / "contracts/compile.js"), str(target)], check=True)
    return contents(target)


def contents(folder: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text("utf-8")) for path in folder.iterdir()}


def test_sources_give_the_committed_artifacts(recompiled: dict[str, Any]) -> None:
    assert recompiled == contents(ARTIFACTS)


def test_published_contracts_have_their_published_addresses(rig: Rig) -> None:
    addresses = {name: item.address for name, item in canonical_deployments().items()}

    assert addresses == rig.addresses
    assert addresses["EntryPointV07"] == "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
    assert addresses["SimpleAccountFactoryV07"] == "0x91E60e0613810449d098b0b5Ec8b51A0FE8c8985"
    assert addresses["EntryPointV08"] == "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108"
    assert addresses["SimpleAccountFactoryV08"] == "0x13E9ed32155810FDbd067D4522C492D6f68E5944"
    assert all(rig.node.has_code(address) for address in addresses.values())


def test_installing_again_sends_nothing(rig: Rig) -> None:
    before = rig.node.call("eth_blockNumber")

    rig.install_again()

    assert rig.node.call("eth_blockNumber") == before
