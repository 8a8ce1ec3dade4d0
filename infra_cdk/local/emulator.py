"""The AWS emulator of the local stage: MiniStack, in its own environment, on loopback only."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import urllib3

from infra_cdk.local.process import ProcessId, spawn
from infra_cdk.local.settings import LOOPBACK, REGION, LocalSettings, free_port
from infra_cdk.local.waiting import StageError, wait_until

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ")
_ATTEMPTS = 3
_ENFORCING = Path(__file__).with_name("enforcing_emulator.py")
PERMISSIONS_FILE = "permissions.log"


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its endpoint, its process and the file it logs to."""

    endpoint: str
    process: ProcessId
    log: Path

    def stop(self) -> None:
        """End it together with the function workers it started."""
        self.process.stop()


def start_emulator(settings: LocalSettings, directory: Path) -> Emulator:
    """Start MiniStack with everything it writes below `directory`; returns once it answers.

    Raises StageError when it is not installed, when a chosen port is taken or when it exits.
    """
    if not settings.emulator_python.exists():
        raise StageError("the emulator is not installed: run `make setup`")
    attempts = 1 if settings.emulator_port else _ATTEMPTS
    for attempt in range(attempts):
        port = settings.emulator_port or free_port()
        try:
            return _start(settings, directory, port)
        except StageError:
            # Between choosing a free port and binding it somebody else may have taken it.
            if attempt + 1 == attempts:
                raise
    raise AssertionError("unreachable")


def _start(settings: LocalSettings, directory: Path, port: int) -> Emulator:
    log = directory / "emulator.log"
    child = spawn(
        [str(settings.emulator_python), *_program(settings)],
        _environment(settings, directory, port),
        log,
    )
    process = ProcessId.of(child.pid)
    endpoint = f"http://{LOOPBACK}:{port}"
    try:
        wait_until(lambda: _answers(child, endpoint, log), "the emulator", timeout_seconds=30)
    except BaseException:
        process.stop()
        raise
    return Emulator(endpoint=endpoint, process=process, log=log)


def _answers(child: subprocess.Popen[bytes], endpoint: str, log: Path) -> bool:
    if child.poll() is not None:
        tail = log.read_text(errors="replace")[-2000:]
        raise StageError(f"the emulator exited with status {child.returncode}:\n{tail}")
    try:
        with urllib3.PoolManager(retries=False, timeout=2) as http:
            return http.request("GET", f"{endpoint}/_ministack/ready").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _program(settings: LocalSettings) -> list[str]:
    return [str(_ENFORCING)] if settings.enforce_permissions else ["-m", "ministack"]


def _environment(settings: LocalSettings, directory: Path, port: int) -> dict[str, str]:
    temporary, state = directory / "tmp", directory / "state"
    temporary.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **inherited,
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(temporary),
        "STATE_DIR": str(state),
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "LOG_LEVEL": settings.log_level,
        "AUTH": str(settings.enforce_permissions).lower(),
        "PERMISSIONS_FILE": str(directory / PERMISSIONS_FILE),
        # The functions log JSON lines; unbuffered, so that the last one is not lost at the stop.
        "PYTHONUNBUFFERED": "1",
    }
