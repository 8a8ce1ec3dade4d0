"""The commands behind `make dev`, `make dev-stop`, `make demo` and the last step of set-up."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from infra_cdk.local.chain import fetch_anvil
from infra_cdk.local.client import ApiClient
from infra_cdk.local.demo import run_demo
from infra_cdk.local.login import sign_in
from infra_cdk.local.progress import Steps
from infra_cdk.local.record import stop_recorded
from infra_cdk.local.settings import LocalSettings, chain_environment
from infra_cdk.local.stage import start_stage, update_stage
from infra_cdk.local.synthesis import synthesised
from infra_cdk.local.waiting import StageError

_DEV = "dev"


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra_cdk.local", description=__doc__)
    parser.add_argument("command", choices=["dev", "stop", "demo", "prepare"])
    command = parser.parse_args(arguments).command
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False)
    commands = {"dev": _dev, "stop": _stop, "demo": _demo, "prepare": _prepare}
    try:
        return commands[command](console)
    except StageError as error:
        console.print(f"✗ {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


def _dev(console: Console) -> int:
    settings = LocalSettings.from_env()
    steps = Steps(console)
    stage = update_stage(settings, _DEV, steps) or start_stage(settings, _DEV, steps, owned=False)
    _endpoint_file(settings).write_text(json.dumps(stage.endpoint(), indent=2) + "\n")
    client = sign_in(ApiClient(stage.base_url))
    steps.done("ready")
    console.print(f"\nAWS at {stage.aws.endpoint}, owner {client.owner}")
    for chain, url in stage.record.chains.items():
        console.print(f"chain {chain} at {url}")
    console.print("\nTry\n", style="bold")
    for line in (
        f"export URL={stage.base_url}",
        f"export TOKEN={client.token}",
        f"export RUNNER={client.wallet}",
        'curl -s "$URL/workflows" -H "Authorization: Bearer $TOKEN"',
    ):
        console.print(f"  {line}", soft_wrap=True)
    console.print(f"\nLog: {stage.emulator_log}   Stop: make dev-stop", soft_wrap=True)
    return 0


def _stop(console: Console) -> int:
    settings = LocalSettings.from_env()
    stopped = stop_recorded(settings.state_root / "stages" / _DEV)
    _endpoint_file(settings).unlink(missing_ok=True)
    console.print("stopped" if stopped else "no local stage was running")
    return 0


def _demo(console: Console) -> int:
    return run_demo(LocalSettings.for_own_stage(), console)


def _prepare(console: Console) -> int:
    steps, settings = Steps(console), LocalSettings.from_env()
    if not all(settings.chains.values()):
        steps("fetching the development chain")
        fetch_anvil(settings)
    steps("synthesising the stacks for the first start")
    own = [chain for chain, url in settings.chains.items() if not url]
    synthesised(chain_environment(settings.chains, own), settings.state_root)
    return 0


def _endpoint_file(settings: LocalSettings) -> Path:
    return settings.state_root / "endpoint.json"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
