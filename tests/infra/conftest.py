"""Each stage is synthesised once for the whole run, also when several processes share it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from infra_cdk.synth import Options, synthesise
from tests.infra.templates import Templates

StageTemplates = Callable[[str], Templates]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> StageTemplates:
    """Templates of a stage, checked by cdk-nag; nothing of the user's environment in them."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    known: dict[str, Templates] = {}

    def of(stage: str) -> Templates:
        if stage not in known:
            known[stage] = Templates(_synthesised(stage, shared / f"infra-{stage}"))
        return known[stage]

    return of


@pytest.fixture(scope="session")
def chain_template(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Stage dev with two chains, the second of which has a paymaster of the deployment's."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    chains = {
        "1": "https://rpc.example",
        "8453": {
            "rpcUrls": ["https://rpc.example/base"],
            "paymaster": "verifying",
            "paymasterAddress": "0x000000000000000000000000000000005eED0007",
        },
    }
    environ = {"TASK_ENGINE_CHAINS": json.dumps(chains)}
    return Templates(_synthesised("dev", shared / "infra-chains", environ))


def _synthesised(stage: str, folder: Path, environ: Mapping[str, str] | None = None) -> Path:
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest.json").exists():
            synthesise(stage, folder, Options(bundle=False), environ=dict(environ or {}))
    return folder
