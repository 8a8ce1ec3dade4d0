"""What a stage wrote down about itself, so that it can be stopped by another process."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from infra_cdk.local.process import ProcessId

_FILE = "processes.json"


@dataclass(frozen=True, slots=True)
class StageRecord:
    """The processes of a stage. `owner` is the process it must not outlive, None for a stage that
    is left running. `chains` maps chain id to RPC URL."""

    endpoint: str
    chains: dict[int, str]
    processes: dict[str, ProcessId]
    owner: ProcessId | None = None

    def write(self, directory: Path) -> None:
        """Replace the record in `directory` at once: a reader never sees half of it."""
        partial = directory / f"{_FILE}.part"
        partial.write_text(json.dumps(asdict(self), indent=2))
        partial.replace(directory / _FILE)


def read_record(directory: Path) -> StageRecord | None:
    """The record in `directory`, None when there is none."""
    file = directory / _FILE
    if not file.exists():
        return None
    content = json.loads(file.read_text())
    return StageRecord(
        endpoint=content["endpoint"],
        chains={int(chain): url for chain, url in content["chains"].items()},
        processes={name: ProcessId(**given) for name, given in content["processes"].items()},
        owner=None if content["owner"] is None else ProcessId(**content["owner"]),
    )


def reap_orphans(stages: Path) -> None:
    """Stop the stages whose owner is gone (killed before it could clean up)."""
    for file in stages.glob(f"*/{_FILE}"):
        record = read_record(file.parent)
        if record is not None and record.owner is not None and not record.owner.alive():
            stop_recorded(file.parent)


def stop_recorded(directory: Path, *, keep_logs: bool = False) -> int:
    """Stop the processes that the record in `directory` names and that are still the same ones.

    Returns how many ran. The state goes too; `keep_logs` leaves the log files.
    """
    record = read_record(directory)
    stopped = 0
    for process in () if record is None else record.processes.values():
        stopped += process.alive()
        process.stop()
    for path in directory.iterdir() if directory.exists() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif not (keep_logs and path.suffix == ".log"):
            path.unlink(missing_ok=True)
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()
    return stopped
