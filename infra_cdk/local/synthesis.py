"""Synthesise stage `local` with the CDK app, and not again as long as nothing it reads changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra_cdk.local.settings import ROOT
from infra_cdk.local.waiting import StageError

_SOURCES = ("functions", "layers", "infra_cdk", "locks", "pyproject.toml")
_KEPT = 4


def synthesised(environment: Mapping[str, str], state_root: Path) -> Path:
    """The folder of the cloud assembly of stage `local`, made below `state_root` if not there yet.

    `environment` is added to the process's own. Raises StageError with the CDK app's own message
    when it fails.
    """
    settings, cache = {**os.environ, **environment}, state_root / "cloud"
    directory = cache / _fingerprint(settings)
    if not (directory / "manifest.json").exists():
        cache.mkdir(parents=True, exist_ok=True)
        _drop_old(cache)
        # Another process may make the same one at the same time: who renames first wins.
        with tempfile.TemporaryDirectory(dir=cache, prefix=".part-") as partial:
            made = Path(partial) / "cloud"
            _run_app(settings, made)
            if not directory.exists():
                made.rename(directory)
    return directory


def _run_app(environment: Mapping[str, str], directory: Path) -> None:
    command = [sys.executable, "-m", "infra_cdk.synth", "--stage", "local", "--no-checks"]
    answer = subprocess.run(
        [*command, "--out", str(directory)],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise StageError(f"the CDK app failed:\n{(answer.stderr or answer.stdout)[-4000:]}")


def _fingerprint(environment: Mapping[str, str]) -> str:
    """Of every source file the app may read, and of the settings it takes."""
    digest = hashlib.sha256(sys.version.encode())
    for key in sorted(environment):
        if key.startswith("TASK_ENGINE_") and not key.startswith("TASK_ENGINE_LOCAL_"):
            digest.update(f"{key}={environment[key]}\n".encode())
    for file in _source_files():
        digest.update(str(file.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _source_files() -> Iterator[Path]:
    for source in _SOURCES:
        path = ROOT / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts and file.parts[-2] != "local":
                yield file


def _drop_old(cache: Path) -> None:
    made = sorted(cache.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for directory in made[_KEPT:]:
        shutil.rmtree(directory, ignore_errors=True)
