"""What a user changes about the local stage, read from the environment (docs/local.md)."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra_cdk.local.waiting import StageError

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
LOOPBACK = "127.0.0.1"

_PREFIX = "TASK_ENGINE_LOCAL_"
SPONSORED_CHAIN = 84532
PAYMASTER = "0x000000000000000000000000000000005eED0007"
_STARTED_HERE = {11155111: "", 84532: ""}
_NONE = "none"
_URLS = re.compile(r"https?://[^\s\"\\]+( https?://[^\s\"\\]+)*")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """`emulator_port` 0 = a free one. `chains` maps chain id to RPC URL; an empty URL starts a
    development chain here. What the engine itself reads (`TASK_ENGINE_<LIMIT>`, hosts) the CDK app
    takes from the same environment."""

    state_root: Path = ROOT / ".local"
    emulator_python: Path = ROOT / ".local/emulator/bin/python"
    emulator_port: int = 0
    chains: dict[int, str] = field(default_factory=lambda: dict(_STARTED_HERE))
    log_level: str = "WARNING"
    enforce_permissions: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> LocalSettings:
        """Read `TASK_ENGINE_LOCAL_*`; raises StageError for an unusable value."""
        env = os.environ if environ is None else environ
        default = cls()
        return cls(
            state_root=Path(env.get(f"{_PREFIX}DIR") or default.state_root).resolve(),
            emulator_python=Path(env.get(f"{_PREFIX}EMULATOR_PYTHON") or default.emulator_python),
            emulator_port=_port(env.get(f"{_PREFIX}PORT") or "0"),
            chains=_chains(env),
            log_level=env.get(f"{_PREFIX}LOG_LEVEL") or default.log_level,
            enforce_permissions=_flag(env, "ENFORCE_PERMISSIONS"),
        )

    @classmethod
    def for_own_stage(cls) -> LocalSettings:
        """Settings of a stage beside the developer's: the same, but always on a free port."""
        return replace(cls.from_env(), emulator_port=0)


def chain_environment(chain_ids: Iterable[int], own: Iterable[int]) -> dict[str, str]:
    """What tells the CDK app about the chains; nothing when there are none of the stage's own.

    The URLs are stand-ins, so that the stacks are the same for every start: see `chain_urls`. `own`
    are chains that are started here; on one of them gas is paid for the wallets.
    """
    chains: dict[str, object] = {str(chain): _stand_in(chain) for chain in chain_ids}
    if SPONSORED_CHAIN in own:
        chains[str(SPONSORED_CHAIN)] = {
            "rpcUrls": [_stand_in(SPONSORED_CHAIN)],
            "paymaster": "verifying",
            "paymasterAddress": PAYMASTER,
        }
    return {"TASK_ENGINE_CHAINS": json.dumps(chains)} if chains else {}


def chain_urls(chains: Mapping[int, str]) -> dict[str, str]:
    """What the stand-ins in the synthesised stacks stand for."""
    return {_stand_in(chain): url for chain, url in chains.items()}


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = env.get(_PREFIX + name) or "false"
    if text not in ("true", "false"):
        raise StageError(f"{_PREFIX}{name} must be true or false, not {text!r}")
    return text == "true"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise StageError(f"{_PREFIX}PORT must be a port number, not {text!r}")
    return int(text)


def _stand_in(chain: int) -> str:
    return f"http://chain-{chain}.invalid"


def _chains(env: Mapping[str, str]) -> dict[int, str]:
    """`31337,5=http://127.0.0.1:8545`: an id alone starts a chain on this machine."""
    text = (env.get(f"{_PREFIX}CHAINS") or "").strip()
    if not text:
        # Whoever tells the engine about chains needs none of ours.
        return {} if env.get("TASK_ENGINE_CHAINS") else dict(_STARTED_HERE)
    chains: dict[int, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(",") if text != _NONE)):
        chain, _, url = entry.partition("=")
        if not (chain.isascii() and chain.isdecimal() and int(chain)):
            raise StageError(f"{_PREFIX}CHAINS: {chain!r} is not a chain id")
        if url and not _URLS.fullmatch(url):
            raise StageError(f"{_PREFIX}CHAINS: chain {chain} needs a URL http://host:port/path")
        chains[int(chain)] = url
    return chains
