"""What differs between deployments: one frozen configuration per stage."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from task_engine.config import Limits
from task_engine.model.chain_setting import parse_chains

ASSET_BUCKET = "task-engine-assets"
PREFIX = "TASK_ENGINE_"


class Packaging(Enum):
    """How code reaches Lambda."""

    LAYERS = "layers"
    """A zip per function; the core and the third-party packages are layers (AWS)."""
    SHARED = "shared"
    """One zip of all functions and the core; the runtime has the packages (the emulator)."""
    FOLDED = "folded"
    """One zip of functions, core and packages (LocalStack's open executor mounts no layers)."""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What watches the deployment. `concurrency_quota` is the account's of concurrent function
    calls (Service Quotas tells it): an alarm is raised at four fifths."""

    alarms: bool = True
    dashboard: bool = True
    gateway_logs: bool = True
    alarm_email: str = ""
    concurrency_quota: int = 1000


@dataclass(frozen=True, slots=True)
class StageConfig:
    """One deployment.

    `asset_bucket` "" takes the bucket of CDK's bootstrap; a name takes that bucket and asks for no
    bootstrap. `settings` are environment variables of the functions, without their prefix.
    """

    name: str
    architecture: Literal["arm64", "x86_64"] = "arm64"
    packaging: Packaging = Packaging.LAYERS
    log_retention_days: int = 30
    keep_data: bool = False
    map_concurrency: int = 20
    asset_bucket: str = ""
    monitoring: Monitoring = Monitoring()
    settings: Mapping[str, str] = field(default_factory=dict)
    key_generations: Mapping[str, int] = field(default_factory=dict)

    def key_generation(self, name: str) -> int:
        """Counts from 1; a higher one means a new key (docs/operations.md)."""
        return self.key_generations.get(name, 1)

    @property
    def prefix(self) -> str:
        """Beginning of every name that this deployment gives."""
        return f"task-engine-{self.name}"

    def signing_keys(self) -> dict[str, str]:
        """Keys that the stage's chains need, and what for; none without chains to be reached."""
        if not self.watched_chains():
            return {}
        chains = parse_chains(self.settings.get("CHAINS", "")).values()
        keys = {
            "controller": "acts through wallets, as their owners allow",
            "bundler": "the account that sends transactions",
            "operator": "signs what this deployment's own operator has seen",
        }
        if any(chain.paymaster == "verifying" for chain in chains):
            keys["paymaster"] = "vouches for operations that are paid for"
        return keys

    def watched_chains(self) -> tuple[int, ...]:
        """The chains that this deployment watches itself: those with a node, ascending."""
        chains = parse_chains(self.settings.get("CHAINS", "")).values()
        return tuple(sorted(chain.id for chain in chains if chain.rpc_urls))

    def derived(self) -> dict[str, str]:
        """Settings that follow from others; functions read them like any setting."""
        chains = self.watched_chains()
        return {"OPERATOR_CHAINS": ",".join(map(str, chains))} if chains else {}

    def limits(self) -> dict[str, str]:
        """The limits that this stage sets otherwise than the engine does."""
        return {name: value for name, value in self.settings.items() if name in LIMIT_NAMES}


LIMIT_NAMES = frozenset(name.upper() for name in Limits.__dataclass_fields__)

_USER_SETTINGS = LIMIT_NAMES | {
    "ALLOWED_HOSTS",
    "CHAINS",
    "DEFAULT_CHAIN_ID",
    "INDEXER_URL",
    "OPERATOR_PAUSE_SECONDS",
    "OPERATOR_RUN_SECONDS",
    "OPERATOR_SHARD",
    "OPERATORS",
    "PARTNERS",
    "SERVER_VARIABLES",
}

_ROTATED = frozenset({"bundler", "controller", "operator", "paymaster", "tokens"})

_NOTHING_WATCHES = Monitoring(alarms=False, dashboard=False, gateway_logs=False)

_STAGES = {
    "local": StageConfig(
        name="local",
        packaging=Packaging.SHARED,
        log_retention_days=1,
        map_concurrency=4,
        asset_bucket=ASSET_BUCKET,
        monitoring=_NOTHING_WATCHES,
        settings={
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "MIN_CRON_GAP_SECONDS": "60",
            "RATE_LIMIT_PER_SECOND": "200",
            "RATE_LIMIT_BURST": "1000",
            "MAX_WALLETS_PER_CHAIN": "2000",
            # Development chains mine when asked to, and the emulator's minutes take 60 to 70 s.
            "OPERATOR_PAUSE_SECONDS": "0.5",
            "OPERATOR_RUN_SECONDS": "72",
            "OPERATORS": "*",
        },
    ),
    "dev": StageConfig(name="dev", log_retention_days=14),
    "prod": StageConfig(name="prod", log_retention_days=90, keep_data=True, map_concurrency=40),
    "localstack": StageConfig(
        name="localstack",
        architecture="x86_64",
        packaging=Packaging.FOLDED,
        log_retention_days=1,
        map_concurrency=4,
        asset_bucket=ASSET_BUCKET,
        monitoring=_NOTHING_WATCHES,
    ),
}

STAGE_NAMES = tuple(_STAGES)


def stage_config(name: str, environ: Mapping[str, str] | None = None) -> StageConfig:
    """The stage, with what the user's environment changes.

    `TASK_ENGINE_<SETTING>` overrides a setting (limits, chains, hosts), and besides those
    `TASK_ENGINE_ARCHITECTURE`, `TASK_ENGINE_MAP_CONCURRENCY`, `TASK_ENGINE_LOG_RETENTION_DAYS`,
    `TASK_ENGINE_ALARM_EMAIL`, `TASK_ENGINE_CONCURRENCY_QUOTA` and `TASK_ENGINE_KEY_GENERATIONS`.
    Raises ValueError for an unknown stage or value.
    """
    if name not in _STAGES:
        raise ValueError(f"unknown stage {name!r}; there are {', '.join(STAGE_NAMES)}")
    env = os.environ if environ is None else environ
    base = _STAGES[name]
    given = {key: env[PREFIX + key] for key in _USER_SETTINGS if env.get(PREFIX + key)}
    return replace(
        base,
        architecture=_architecture(env.get(f"{PREFIX}ARCHITECTURE") or base.architecture),
        map_concurrency=_positive(env, "MAP_CONCURRENCY", base.map_concurrency),
        log_retention_days=_positive(env, "LOG_RETENTION_DAYS", base.log_retention_days),
        monitoring=replace(
            base.monitoring,
            alarm_email=env.get(f"{PREFIX}ALARM_EMAIL", ""),
            concurrency_quota=_positive(env, "CONCURRENCY_QUOTA", 1000),
        ),
        settings=dict(sorted({**base.settings, **given}.items())),
        key_generations=_generations(env.get(f"{PREFIX}KEY_GENERATIONS", "")),
    )


def _generations(text: str) -> dict[str, int]:
    """`tokens=2,bundler=3`"""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        if name not in _ROTATED or not number.isdecimal() or int(number) < 1:
            raise ValueError(f"{PREFIX}KEY_GENERATIONS must be like tokens=2, not {part!r}")
        found[name] = int(number)
    return found


def _architecture(text: str) -> Literal["arm64", "x86_64"]:
    if text == "arm64":
        return "arm64"
    if text == "x86_64":
        return "x86_64"
    raise ValueError(f"{PREFIX}ARCHITECTURE must be arm64 or x86_64, not {text!r}")


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(PREFIX + name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{PREFIX}{name} must be a whole number above zero, not {text!r}")
    return int(text)
