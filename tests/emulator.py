"""The AWS emulator as the integration tests use it: their own process, port and state."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from infra_cdk.local.emulator import Emulator, start_emulator
from infra_cdk.local.settings import LocalSettings

PYTHON_VARIABLE = "TASK_ENGINE_EMULATOR_PYTHON"


@contextmanager
def running_emulator() -> Iterator[Emulator]:
    """An emulator on a free loopback port, ended and forgotten with the block."""
    settings = LocalSettings.for_own_stage()
    chosen = os.environ.get(PYTHON_VARIABLE)
    if chosen:
        settings = replace(settings, emulator_python=Path(chosen))
    with tempfile.TemporaryDirectory(prefix="task-engine-", ignore_cleanup_errors=True) as place:
        emulator = start_emulator(settings, Path(place))
        try:
            yield emulator
        finally:
            emulator.stop()
