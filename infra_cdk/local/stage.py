"""A local stage as a whole: start, deploy, leave running, stop, clean up after dead owners."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.chain import StartingChain, begin_chain
from infra_cdk.local.chain_keys import provide_for_keys
from infra_cdk.local.contracts import install_contracts
from infra_cdk.local.deployer import deploy
from infra_cdk.local.emulator import start_emulator
from infra_cdk.local.process import ProcessId
from infra_cdk.local.record import StageRecord, read_record, reap_orphans, stop_recorded
from infra_cdk.local.settings import LocalSettings, chain_environment, chain_urls
from infra_cdk.local.synthesis import synthesised
from infra_cdk.local.waiting import StageError

Progress = Callable[[str], None]
_API_URL = re.compile(r"https://([a-z0-9]+)\.execute-api\.[^/]+/([^/]+)/?")


@dataclass(frozen=True, slots=True)
class LocalStage:
    """A deployed stage. `base_url` ends in `/api/v1`, `cloud` is the assembly that was deployed,
    `outputs` are the stacks' by stack name."""

    directory: Path
    cloud: Path
    base_url: str
    aws: LocalAws
    record: StageRecord
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
            "chains": {str(chain): url for chain, url in self.record.chains.items()},
            "pids": {name: process.pid for name, process in self.record.processes.items()},
        }

    def stop(self, *, keep_logs: bool = False) -> None:
        """End every process of the stage and remove its state; `keep_logs` leaves the log files."""
        stop_recorded(self.directory, keep_logs=keep_logs)


def start_stage(
    settings: LocalSettings, name: str, progress: Progress, *, owned: bool = True
) -> LocalStage:
    """Start and deploy the stage `name`; returns once the API can be called.

    An `owned` stage ends with this process at the latest: the next start removes what a killed
    owner left. Raises StageError; whatever was started is stopped again then, logs stay.
    """
    stages = settings.state_root / "stages"
    reap_orphans(stages)
    directory = stages / name
    stop_recorded(directory)
    directory.mkdir(parents=True)
    try:
        return _deployed(_started(settings, directory, progress, owned=owned), directory, progress)
    except BaseException:
        stop_recorded(directory, keep_logs=True)
        raise


def update_stage(settings: LocalSettings, name: str, progress: Progress) -> LocalStage | None:
    """Deploy again to the running stage `name`; None when it does not run."""
    directory = settings.state_root / "stages" / name
    record = read_record(directory)
    if record is None or not all(process.alive() for process in record.processes.values()):
        return None
    return _deployed(record, directory, progress)


def _started(
    settings: LocalSettings, directory: Path, progress: Progress, *, owned: bool
) -> StageRecord:
    started_here = [chain for chain, url in settings.chains.items() if not url]
    record = StageRecord(
        endpoint="",
        chains=dict(settings.chains),
        processes={},
        owner=ProcessId.of(os.getpid()) if owned else None,
    )
    # The chains start while the emulator does, which takes longer.
    chains = []
    for chain_id in started_here:
        progress(f"starting chain {chain_id}")
        chains.append(begin_chain(settings, chain_id, directory))
        record.processes[f"chain-{chain_id}"] = chains[-1].process
        record.write(directory)
    progress("starting the emulator")
    emulator = start_emulator(settings, directory)
    record.processes["emulator"] = emulator.process
    record = replace(record, endpoint=emulator.endpoint)
    record.write(directory)
    _settle_chains(chains, record, progress)
    record.write(directory)
    return record


def _settle_chains(
    chains: Sequence[StartingChain], record: StageRecord, progress: Progress
) -> None:
    """Wait for the chains, note their URLs, and give them the contracts that wallets need."""
    for starting in chains:
        chain = starting.ready()
        progress(f"deploying entry points and wallet factories to chain {chain.chain_id}")
        install_contracts(chain.rpc_url)
        record.chains[chain.chain_id] = chain.rpc_url


def _deployed(record: StageRecord, directory: Path, progress: Progress) -> LocalStage:
    progress("synthesising the stacks")
    own = {
        chain: url for chain, url in record.chains.items() if f"chain-{chain}" in record.processes
    }
    cloud = synthesised(chain_environment(record.chains, own), directory.parents[1])
    aws = LocalAws(record.endpoint)
    outputs = deploy(aws, cloud, progress, chain_urls(record.chains))
    provide_for_keys(aws, outputs, own)
    return LocalStage(
        directory=directory,
        cloud=cloud,
        base_url=_base_url(record.endpoint, outputs),
        aws=aws,
        record=record,
        outputs=outputs,
    )


def _base_url(endpoint: str, outputs: Mapping[str, Mapping[str, str]]) -> str:
    for values in outputs.values():
        for value in values.values():
            found = _API_URL.match(value)
            if found:
                return f"{endpoint}/restapis/{found[1]}/{found[2]}/_user_request_/api/v1"
    raise StageError("no stack has the URL of a REST API among its outputs")
