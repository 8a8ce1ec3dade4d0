"""Development chains start, answer, fail readably and end."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from infra_cdk.local.chain import begin_chain, fetch_anvil, start_chain
from infra_cdk.local.contracts import DevelopmentNode
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.waiting import StageError, wait_until

_FAILING_ANVIL = "#!/bin/sh\necho 'no such option'\nexit 1\n"


def test_two_chains_start_beside_each_other_and_end(tmp_path: Path) -> None:
    # Given a log of an earlier start, which names a port
    (tmp_path / "chain-5.log").write_text("Listening on 127.0.0.1:1\n")
    # When
    starting = [begin_chain(LocalSettings(), chain, tmp_path) for chain in (5, 6)]
    try:
        chains = [started.ready() for started in starting]
        # Then
        for chain, expected in zip(chains, (5, 6), strict=True):
            node = DevelopmentNode(chain.rpc_url)
            assert node.call("eth_chainId") == hex(expected)
            # And a transaction is mined, in a block of its own
            before = int(node.call("eth_blockNumber"), 16)
            receipt = node.send(node.call("eth_accounts")[1], value=1)
            assert int(receipt["blockNumber"], 16) == before + 1
    finally:
        for started in starting:
            started.process.stop()
    wait_until(lambda: not any(s.process.alive() for s in starting), "their end", 10)


def test_a_chain_that_exits_says_why(tmp_path: Path) -> None:
    # Given an anvil that does not start
    settings = LocalSettings(state_root=tmp_path)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@foundry-rs/anvil-{platform.system().lower()}-{machine}"
    binary = tmp_path / "anvil/node_modules" / package / "bin/anvil"
    binary.parent.mkdir(parents=True)
    binary.write_text(_FAILING_ANVIL)
    binary.chmod(0o755)
    # Then
    assert fetch_anvil(settings) == binary
    with pytest.raises(StageError, match=r"chain 5 exited:\nno such option"):
        start_chain(settings, 5, tmp_path)


def test_a_machine_without_anvil_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(StageError, match="no anvil for riscv64: give TASK_ENGINE_LOCAL_CHAINS"):
        fetch_anvil(LocalSettings(state_root=tmp_path))
