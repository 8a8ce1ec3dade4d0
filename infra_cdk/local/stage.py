"""A local stage as a whole: start, deploy, leave running, stop, clean up after dead owners."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.chain import start_chain
from infra_cdk.local.deployer import deploy, synthesise
from infra_cdk.local.emulator import start_emulator
from infra_cdk.local.process import ProcessId
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.waiting import StageError

Progress = Callable[[str], None]
_API_URL = re.compile(r"https://([a-z0-9]+)\.execute-api\.[^/]+/([^/]+)/?")


@dataclass(frozen=True, slots=True)
class LocalStage:
    """A deployed stage. `base_url` ends in `/api/v1`; `outputs` are the stacks' by stack name."""

    name: str
    directory: Path
    base_url: str
    aws: LocalAws
    chains: dict[int, str]
    processes: dict[str, ProcessId]
    outputs: dict[str, dict[str, str]]

    @property
    def emulator_log(self) -> Path:
        """What the emulator wrote, the functions' crashes included."""
        return self.directory / "emulator.log"

    def endpoint(self) -> dict[str, object]:
        """The content of `.local/endpoint.json`."""
        return {
            "baseUrl": self.base_url,
            "awsEndpoint": self.aws.endpoint,
            "chains": {str(chain): url for chain, url in self.chains.items()},
            "pids": {name: process.pid for name, process in self.processes.items()},
        }

    def stop(self) -> None:
        """End every process of the stage and remove its state."""
        stop_recorded(self.directory)


def start_stage(
    settings: LocalSettings, name: str, progress: Progress, *, owned: bool = True
) -> LocalStage:
    """Start and deploy the stage `name`; returns once the API can be called.

    An `owned` stage ends with this process at the latest: the next start removes what a killed
    owner left. Raises StageError; whatever was started is stopped again then.
    """
    stages = settings.state_root / "stages"
    reap_orphans(stages)
    directory = stages / name
    if directory.exists():
        stop_recorded(directory)
    directory.mkdir(parents=True)
    try:
        return _start(settings, directory, progress, owned=owned)
    except BaseException:
        stop_recorded(directory, keep_logs=True)
        raise


def _start(
    settings: LocalSettings, directory: Path, progress: Progress, *, owned: bool
) -> LocalStage:
    owner = ProcessId.of(os.getpid()) if owned else None
    processes: dict[str, ProcessId] = {}
    chains = dict(settings.chains)
    progress("starting the emulator")
    emulator = start_emulator(settings, directory)
    processes["emulator"] = emulator.process
    _record(directory, owner, processes)
    for chain_id in [chain for chain, url in chains.items() if not url]:
        progress(f"starting chain {chain_id}")
        chain = start_chain(settings, chain_id, directory)
        chains[chain_id] = chain.rpc_url
        processes[f"chain-{chain_id}"] = chain.process
        _record(directory, owner, processes)
    progress("synthesising the stacks")
    synthesise(settings.engine_environment(chains), directory / "cloud")
    aws = LocalAws(emulator.endpoint)
    outputs = deploy(aws, directory / "cloud", progress)
    return LocalStage(
        name=directory.name,
        directory=directory,
        base_url=_base_url(emulator.endpoint, outputs),
        aws=aws,
        chains=chains,
        processes=processes,
        outputs=outputs,
    )


def reap_orphans(stages: Path) -> None:
    """Stop the stages whose owner is gone (killed before it could clean up)."""
    for record in stages.glob("*/processes.json"):
        owner = json.loads(record.read_text()).get("owner")
        if owner is not None and not ProcessId(**owner).alive():
            stop_recorded(record.parent)


def stop_recorded(directory: Path, *, keep_logs: bool = False) -> int:
    """Stop the processes that the record in `directory` names and that are still the same ones.

    Returns how many ran. The state goes too, `keep_logs` leaves the log files.
    """
    record = directory / "processes.json"
    stopped = 0
    if record.exists():
        for process in json.loads(record.read_text())["processes"].values():
            identity = ProcessId(**process)
            stopped += identity.alive()
            identity.stop()
        record.unlink()
    for path in directory.iterdir() if directory.exists() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif not (keep_logs and path.suffix == ".log"):
            path.unlink(missing_ok=True)
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()
    return stopped


def _record(directory: Path, owner: ProcessId | None, processes: Mapping[str, ProcessId]) -> None:
    content = {
        "owner": None if owner is None else asdict(owner),
        "processes": {name: asdict(process) for name, process in processes.items()},
    }
    partial = directory / "processes.json.part"
    partial.write_text(json.dumps(content, indent=2))
    partial.replace(directory / "processes.json")


def _base_url(endpoint: str, outputs: Mapping[str, Mapping[str, str]]) -> str:
    for values in outputs.values():
        for value in values.values():
            found = _API_URL.match(value)
            if found:
                return f"{endpoint}/restapis/{found[1]}/{found[2]}/_user_request_/api/v1"
    raise StageError("no stack has the URL of a REST API among its outputs")
