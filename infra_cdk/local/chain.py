"""Development chains: anvil from npm, one process for each chain, on loopback only."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import urllib3

from infra_cdk.local.process import ProcessId, spawn
from infra_cdk.local.settings import LOOPBACK, LocalSettings
from infra_cdk.local.waiting import StageError, wait_until

_ANVIL_VERSION = "1.7.1"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_LISTENING = re.compile(rb"Listening on [\d.]+:(\d+)")
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Chain:
    """A running development chain."""

    chain_id: int
    rpc_url: str
    process: ProcessId


@dataclass(frozen=True, slots=True)
class StartingChain:
    """A development chain that was started and may not answer yet."""

    chain_id: int
    process: ProcessId
    log: Path
    log_begins: int

    def ready(self) -> Chain:
        """The chain once it answers; raises StageError when it exits or takes too long."""
        what = f"chain {self.chain_id}"
        return wait_until(self._answering, what, _START_SECONDS, interval_seconds=0.01)

    def _answering(self) -> Chain | None:
        written = self.log.read_bytes()[self.log_begins :]
        if not self.process.alive():
            raise _exited(self.chain_id, written)
        found = _LISTENING.search(written)
        if found is None:
            return None
        chain = Chain(self.chain_id, f"http://{LOOPBACK}:{int(found[1])}", self.process)
        return chain if _answers(chain) else None


def begin_chain(settings: LocalSettings, chain_id: int, directory: Path) -> StartingChain:
    """Start anvil for `chain_id` on a port that it picks, and do not wait for it.

    It mines a block for every transaction. Raises StageError when there is no anvil here.
    """
    binary = fetch_anvil(settings)
    log = directory / f"chain-{chain_id}.log"
    begins = log.stat().st_size if log.exists() else 0
    # It keeps old states of long runs below its home folder.
    home = directory / f"chain-{chain_id}"
    home.mkdir(parents=True, exist_ok=True)
    child = spawn(
        [str(binary), "--host", LOOPBACK, "--port", "0", "--chain-id", str(chain_id)],
        {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "NO_COLOR": "1"},
        log,
    )
    try:
        process = ProcessId.of(child.pid)
    except StageError as error:
        raise _exited(chain_id, log.read_bytes()[begins:]) from error
    return StartingChain(chain_id, process, log, begins)


def start_chain(settings: LocalSettings, chain_id: int, directory: Path) -> Chain:
    """Start anvil for `chain_id` on loopback; returns once it answers.

    Raises StageError when there is no anvil for this machine or it does not start.
    """
    started = begin_chain(settings, chain_id, directory)
    try:
        return started.ready()
    except BaseException:
        started.process.stop()
        raise


def fetch_anvil(settings: LocalSettings) -> Path:
    """The program, installed from npm where it is not yet; raises StageError."""
    machine = _MACHINES.get(platform.machine().lower())
    if machine is None:
        raise StageError(
            f"no anvil for {platform.machine()}: give TASK_ENGINE_LOCAL_CHAINS RPC URLs, or none"
        )
    directory = settings.state_root / "anvil"
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


def _exited(chain_id: int, written: bytes) -> StageError:
    return StageError(f"chain {chain_id} exited:\n{written.decode(errors='replace')[-2000:]}")


def _answers(chain: Chain) -> bool:
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    try:
        with urllib3.PoolManager(retries=False, timeout=2) as http:
            answer = http.request("POST", chain.rpc_url, json=request).json()
    except (urllib3.exceptions.HTTPError, ValueError):
        return False
    return bool(int(answer["result"], 16) == chain.chain_id)
