"""What a user changes about the local stage, read from the environment (docs/local.md)."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra_cdk.local.waiting import StageError

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
LOOPBACK = "127.0.0.1"

_PREFIX = "TASK_ENGINE_LOCAL_"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """`emulator_port` 0 = a free one. `chains` maps chain id to RPC URL; an empty URL starts a
    chain here. What the engine itself reads (`TASK_ENGINE_<LIMIT>`, hosts) the CDK app takes from
    the same environment."""

    state_root: Path = ROOT / ".local"
    emulator_python: Path = ROOT / ".local/emulator/bin/python"
    emulator_port: int = 0
    chains: dict[int, str] = field(default_factory=dict)
    log_level: str = "WARNING"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> LocalSettings:
        """Read `TASK_ENGINE_LOCAL_*`; raises StageError for an unusable value."""
        env = os.environ if environ is None else environ
        default = cls()
        return cls(
            state_root=Path(env.get(f"{_PREFIX}DIR") or default.state_root).resolve(),
            emulator_python=Path(env.get(f"{_PREFIX}EMULATOR_PYTHON") or default.emulator_python),
            emulator_port=_port(env.get(f"{_PREFIX}PORT") or "0"),
            chains=_chains(env.get(f"{_PREFIX}CHAINS") or ""),
            log_level=env.get(f"{_PREFIX}LOG_LEVEL") or default.log_level,
        )

    @classmethod
    def for_own_stage(cls) -> LocalSettings:
        """Settings of a stage beside the developer's: the same, but always on a free port."""
        return replace(cls.from_env(), emulator_port=0)


def chain_environment(chains: Mapping[int, str]) -> dict[str, str]:
    """What tells the CDK app about the chains; nothing when none was asked for."""
    if not chains:
        return {}
    return {"TASK_ENGINE_CHAINS": json.dumps({str(chain): url for chain, url in chains.items()})}


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise StageError(f"{_PREFIX}PORT must be a port number, not {text!r}")
    return int(text)


def _chains(text: str) -> dict[int, str]:
    """`31337,11155111=http://127.0.0.1:8545`: an id alone starts a chain on this machine."""
    chains: dict[int, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        chain, _, url = entry.partition("=")
        if not chain.isdecimal():
            raise StageError(f"{_PREFIX}CHAINS: {chain!r} is not a chain id")
        chains[int(chain)] = url
    return chains
