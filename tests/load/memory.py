"""Memory of the processes that run a stage's functions."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from infra_cdk.local.stage import LocalStage


@dataclass(frozen=True)
class Memory:
    """Resident MB of the function workers: how many, the median and the largest."""

    workers: int
    median: float
    largest: float


def memory(stage: LocalStage) -> Memory:
    """As of now."""
    listed = subprocess.run(
        ["ps", "-ax", "-ww", "-o", "rss=,args="], check=True, capture_output=True, text=True
    )
    sizes = sorted(
        int(size) / 1024
        for size, _, arguments in (
            line.strip().partition(" ") for line in listed.stdout.splitlines()
        )
        if f"{stage.directory}{os.sep}" in arguments and "_worker" in arguments
    )
    if not sizes:
        return Memory(0, 0, 0)
    return Memory(len(sizes), sizes[len(sizes) // 2], sizes[-1])
