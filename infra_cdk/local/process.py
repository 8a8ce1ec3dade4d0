"""Processes of a stage: started in a session of their own, known by pid and start time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra_cdk.local.waiting import StageError, wait_until


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A pid together with when the process started: a reused pid is another process."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The identity of the running process `pid`; raises StageError when there is none."""
        started = _start_time(pid)
        if started is None:
            raise StageError(f"no process {pid}")
        return cls(pid, started)

    def alive(self) -> bool:
        """Whether exactly this process still runs (a zombie does not)."""
        return _start_time(self.pid) == self.started

    def stop(self, grace_seconds: float = 5.0) -> None:
        """SIGTERM, then SIGKILL for it and what is left of its process group."""
        if not self.alive():
            return
        # The group is signalled only as long as its leader is known to be ours.
        os.kill(self.pid, signal.SIGTERM)
        with contextlib.suppress(StageError):
            wait_until(lambda: not self.alive() or None, f"process {self.pid}", grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def spawn(command: Sequence[str], env: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `command` as the leader of its own session, output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env),
            start_new_session=True,
        )


def _start_time(pid: int) -> str | None:
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        # proc(5): after the command name, field 1 is the state and field 20 the start time.
        return None if fields[0] == "Z" else fields[19]
    answer = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None
