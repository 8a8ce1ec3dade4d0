"""A development chain: anvil from npm, fetched only when a chain without a URL is asked for."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import urllib3

from infra_cdk.local.process import ProcessId, spawn
from infra_cdk.local.settings import LOOPBACK, LocalSettings, free_port
from infra_cdk.local.waiting import StageError, wait_until

_ANVIL_VERSION = "1.7.1"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Chain:
    """A running development chain."""

    chain_id: int
    rpc_url: str
    process: ProcessId


def start_chain(settings: LocalSettings, chain_id: int, directory: Path) -> Chain:
    """Start anvil for `chain_id` on a free port of the loopback interface; returns once it answers.

    Raises StageError when there is no anvil for this machine or it does not start.
    """
    binary = _installed(settings.state_root / "anvil")
    port = free_port()
    child = spawn(
        [str(binary), "--host", LOOPBACK, "--port", str(port), "--chain-id", str(chain_id)],
        {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        directory / f"chain-{chain_id}.log",
    )
    chain = Chain(chain_id, f"http://{LOOPBACK}:{port}", ProcessId.of(child.pid))
    try:
        wait_until(lambda: _answers(chain), f"chain {chain_id}", timeout_seconds=30)
    except BaseException:
        chain.process.stop()
        raise
    return chain


def _answers(chain: Chain) -> bool:
    if not chain.process.alive():
        raise StageError(f"chain {chain.chain_id} exited; its log says why")
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    try:
        with urllib3.PoolManager(retries=False, timeout=2) as http:
            answer = http.request("POST", chain.rpc_url, json=request).json()
    except (urllib3.exceptions.HTTPError, ValueError):
        return False
    return bool(int(answer["result"], 16) == chain.chain_id)


def _installed(directory: Path) -> Path:
    machine = _MACHINES.get(platform.machine().lower())
    if machine is None:
        raise StageError(f"no anvil for {platform.machine()}: give the chain an RPC URL")
    package = f"@foundry-rs/anvil-{platform.system().lower()}-{machine}"
    binary = directory / "node_modules" / package / "bin" / "anvil"
    if not binary.exists():
        directory.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(directory), "--no-save", "--no-audit"]
        answer = subprocess.run(
            [*command, f"{package}@{_ANVIL_VERSION}"], capture_output=True, text=True, check=False
        )
        if answer.returncode != 0 or not binary.exists():
            raise StageError(f"npm could not install {package}:\n{answer.stderr[-2000:]}")
    return binary
