"""The operator as its own program: started, asked, stopped, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3
from task_engine.evm.address import Address
from task_engine.evm.signer import LocalSigner

from infra_cdk.local.settings import REGION, free_port
from infra_cdk.local.waiting import wait_until

PATIENCE_SECONDS = 180.0
"""For what takes seconds where nothing else is going on."""
_PROGRAM = Path(sys.executable).with_name("task-engine")


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key of KMS, as boto3 finds it by these variables."""

    address: Address
    key_id: str
    variables: dict[str, str]


class Program:
    """`task-engine operator run` with settings of its own in `folder`; starts when entered."""

    def __init__(
        self,
        folder: Path,
        engine_url: str,
        chains: dict[int, str],
        key: str | KmsKey,
        shard: str = "1/1",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(key, KmsKey):
            self.address, variables = key.address, key.variables
            where = f'kms = "{key.key_id}"\nregion = "{REGION}"'
        else:
            self.address, variables = LocalSigner(key).address, {"OPERATOR_TEST_KEY": key}
            where = 'env = "OPERATOR_TEST_KEY"'
        self.port = free_port()
        self.log = folder / "operator.log"
        self._folder = folder
        self._config = folder / "operator.toml"
        tables = "\n".join(f'[chains.{n}]\nrpc_urls = ["{url}"]' for n, url in chains.items())
        self._config.write_text(
            f'url = "{engine_url}/api/v1"\n[key]\n{where}\n{tables}\n'
            f'[watch]\npause_seconds = 0.2\nshard = "{shard}"\n'
            f"[metrics]\nport = {self.port}\n"
        )
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            **variables,
        }
        self._running: subprocess.Popen[bytes] | None = None
        self._http = urllib3.PoolManager(retries=False, timeout=5)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._running is not None and self._running.poll() is None:
            self._running.kill()
            self._running.wait(timeout=30)

    def start(self) -> None:
        """Start it; what it writes goes to `log`."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [str(_PROGRAM), "operator", "run", "--config", str(self._config)],
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """As a machine that loses power."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal; the exit status once it is gone."""
        assert self._running is not None
        self._running.send_signal(how)
        return self._running.wait(timeout=60)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command with the same settings."""
        command = [str(_PROGRAM), "operator", *arguments, "--config", str(self._config)]
        return subprocess.run(
            command,
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def figure(self, name: str, labels: str = "") -> float | None:
        """One sample of its metrics, None while there is none."""
        try:
            page = self._http.request("GET", f"http://127.0.0.1:{self.port}/metrics").data.decode()
        except urllib3.exceptions.HTTPError:
            return None
        start = f"task_engine_operator_{name}{labels} "
        return next(
            (float(line[len(start) :]) for line in page.splitlines() if line.startswith(start)),
            None,
        )

    def health(self) -> tuple[int, Any]:
        """Status and document of its health page."""
        answer = self._http.request("GET", f"http://127.0.0.1:{self.port}/healthz")
        return answer.status, json.loads(answer.data)

    def wait_for(self, block: int, chain: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Until it has passed that block, and has caught up; raises StageError after `seconds`."""
        labels = f'{{chain="{chain}"}}'

        def there() -> bool:
            passed, behind = self.figure("block", labels), self.figure("blocks_behind", labels)
            return passed is not None and passed >= block and behind == 0

        wait_until(there, f"block {block}", seconds, 0.1)
