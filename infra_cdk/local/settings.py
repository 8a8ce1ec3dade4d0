"""What a user changes about the local stage, read from the environment (docs/local.md)."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra_cdk.local.waiting import StageError

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
LOOPBACK = "127.0.0.1"

# What differs from the defaults of `task_engine.config.Limits`: a developer's machine has one user.
_LOCAL_LIMITS = {
    "MIN_CRON_GAP_SECONDS": "60",
    "RATE_LIMIT_PER_SECOND": "200",
    "RATE_LIMIT_BURST": "1000",
    "MAX_WALLETS_PER_CHAIN": "2000",
}
_PREFIX = "TASK_ENGINE_"
_LOCAL_PREFIX = "TASK_ENGINE_LOCAL_"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """`emulator_port` 0 = a free one. `chains` maps chain id to RPC URL; an empty URL starts a
    chain here. `engine` holds `TASK_ENGINE_*` settings handed to the stacks as they are."""

    state_root: Path
    emulator_python: Path
    emulator_port: int = 0
    chains: dict[int, str] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = (LOOPBACK, "localhost")
    log_level: str = "WARNING"
    engine: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> LocalSettings:
        """Read `TASK_ENGINE_LOCAL_*` and `TASK_ENGINE_*`; StageError for an unusable value."""
        env = os.environ if environ is None else environ
        local = {
            key.removeprefix(_LOCAL_PREFIX): value
            for key, value in env.items()
            if key.startswith(_LOCAL_PREFIX) and value
        }
        engine = {
            key.removeprefix(_PREFIX): value
            for key, value in env.items()
            if key.startswith(_PREFIX) and not key.startswith(_LOCAL_PREFIX) and value
        }
        root = Path(local.get("DIR", str(ROOT / ".local"))).resolve()
        hosts = tuple(h.strip() for h in local.get("HOSTS", "").split(",") if h.strip())
        return cls(
            state_root=root,
            emulator_python=Path(
                local.get("EMULATOR_PYTHON", str(ROOT / ".local/emulator/bin/python"))
            ),
            emulator_port=_port(local.get("PORT", "0")),
            chains=_chains(local.get("CHAINS", "")),
            allowed_hosts=(LOOPBACK, "localhost", *hosts),
            log_level=local.get("LOG_LEVEL", "WARNING"),
            engine={**_LOCAL_LIMITS, **engine},
        )

    def engine_environment(self, chains: Mapping[int, str]) -> dict[str, str]:
        """The `TASK_ENGINE_*` environment under which the stacks are synthesised."""
        runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
        values = {
            "LOCAL_RUNTIME": runtime,
            "ALLOWED_HOSTS": ",".join(self.allowed_hosts),
            **self.engine,
        }
        if chains:
            values["CHAINS"] = json.dumps({str(chain): url for chain, url in chains.items()})
        return {_PREFIX + key: value for key, value in values.items()}


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise StageError(f"{_LOCAL_PREFIX}PORT must be a port number, not {text!r}")
    return int(text)


def _chains(text: str) -> dict[int, str]:
    """`31337,11155111=http://127.0.0.1:8545`: an id alone starts a chain on this machine."""
    chains: dict[int, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        chain, _, url = entry.partition("=")
        if not chain.isdecimal():
            raise StageError(f"{_LOCAL_PREFIX}CHAINS: {chain!r} is not a chain id")
        chains[int(chain)] = url
    return chains
