"""Settings of a deployment, read once from the environment that the stack gives each function."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from task_engine.errors import ConfigurationError
from task_engine.model.chain import Chain
from task_engine.model.chain_setting import parse_chains


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas and bounds; each is `TASK_ENGINE_<NAME>` in the environment."""

    max_active_tasks: int = 1000
    default_max_execution: int = 51_840
    max_nodes: int = 1000
    max_task_bytes: int = 262_144
    min_cron_gap_seconds: int = 300
    min_block_gap_seconds: int = 60
    min_expiry_seconds: int = 3600
    max_wallets_per_chain: int = 5
    max_loop_items: int = 1000
    loop_chunk_items: int = 50
    loop_concurrency: int = 10
    # Methods, balances and transfers of one invocation; of one simulation, which is one run.
    max_chain_calls: int = 10_000
    max_template_bytes: int = 102_400
    max_manual_data_bytes: int = 1_048_576
    max_http_bytes: int = 10_485_760
    http_timeout_seconds: int = 30
    script_timeout_seconds: int = 30
    script_memory_bytes: int = 67_108_864
    template_timeout_ms: int = 1000
    inline_output_bytes: int = 200_000
    rate_limit_per_second: int = 10
    rate_limit_burst: int = 50
    max_token_hours: int = 48
    quorum: int = 1
    operator_notices_per_minute: int = 20_000
    # What a session policy that names no gas cap may spend of the wallet's coin on gas in all.
    grant_gas_cap_wei: int = 50_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a function may need; a name that is missing is an error only when used.

    `names` holds resource names by their environment name without the prefix, e.g.
    `TABLE_TASKS`; neither they nor URLs of chains are printed, since they may carry keys.
    `allowed_hosts` are `host` or `host:port` entries that nodes may reach although they are
    private (the local stage allows loopback).
    """

    stage: str
    region: str
    limits: Limits
    names: dict[str, str] = field(default_factory=dict, repr=False)
    chains: dict[int, Chain] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    server_variables: dict[str, str] = field(default_factory=dict)
    default_chain_id: int = 11155111

    def name(self, key: str) -> str:
        """The resource name `TASK_ENGINE_<key>`; raises ConfigurationError when unset."""
        value = self.names.get(key, "")
        if not value:
            raise ConfigurationError(f"the setting TASK_ENGINE_{key} is missing")
        return value

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read `TASK_ENGINE_*` and the region; raises ConfigurationError for an unusable value."""
        env = os.environ if environ is None else environ
        names = {
            key.removeprefix(_PREFIX): value
            for key, value in env.items()
            if key.startswith(_PREFIX)
        }
        return cls(
            stage=names.get("STAGE", "dev"),
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
            limits=_limits(names),
            names=names,
            chains=parse_chains(names.get("CHAINS", "")),
            allowed_hosts=tuple(h for h in names.get("ALLOWED_HOSTS", "").split(",") if h),
            server_variables=_texts("SERVER_VARIABLES", names.get("SERVER_VARIABLES", "")),
            default_chain_id=_integer(
                "DEFAULT_CHAIN_ID", names.get("DEFAULT_CHAIN_ID", "11155111")
            ),
        )


_PREFIX = "TASK_ENGINE_"


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ConfigurationError(f"TASK_ENGINE_{name} must be a whole number") from error


def _texts(name: str, text: str) -> dict[str, str]:
    """`{"NAME": "value"}` as JSON."""
    if not text:
        return {}
    try:
        return {str(key): str(value) for key, value in json.loads(text).items()}
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"TASK_ENGINE_{name} must be JSON {{name: value}}") from error


def _limits(names: Mapping[str, str]) -> Limits:
    given = {
        field_name: _integer(field_name.upper(), names[field_name.upper()])
        for field_name in Limits.__dataclass_fields__
        if names.get(field_name.upper())
    }
    return Limits(**given)
