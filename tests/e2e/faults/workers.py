"""The processes that run a stage's functions, and their sudden end."""

from __future__ import annotations

import os
import signal
import subprocess

from infra_cdk.local.stage import LocalStage


def kill_workers(stage: LocalStage, function: str) -> int:
    """Kill every process of one function of this stage, e.g. `node-rest-api`; how many it were."""
    listed = subprocess.run(
        ["ps", "-ax", "-ww", "-o", "pid=,args="], check=True, capture_output=True, text=True
    )
    killed = 0
    for line in listed.stdout.splitlines():
        pid, _, arguments = line.strip().partition(" ")
        if f"{stage.directory}{os.sep}" in arguments and f"-{function}-" in arguments:
            os.kill(int(pid), signal.SIGKILL)
            killed += 1
    return killed
