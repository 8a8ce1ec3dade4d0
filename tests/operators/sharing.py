"""Operators in this process, each with a part of the checks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from task_engine.clock import SystemClock
from task_engine.evm.signer import LocalSigner
from task_engine.model.chain import Chain
from task_engine.model.shard import Shard

from task_engine_operator.api import EngineApi
from task_engine_operator.config import KeyConfig, OperatorConfig
from task_engine_operator.cursors import SqliteCursors
from task_engine_operator.process import OperatorProcess
from tests.operators.chain import LogChain
from tests.operators.engine import CHAIN_ID, Engine


class SharingOperator:
    """Watches its part of the checks until it is ended."""

    def __init__(
        self, engine: Engine, chain: LogChain, folder: Path, key: str, shard: Shard
    ) -> None:
        signer, clock, url = LocalSigner(key), SystemClock(), f"{engine.url}/api/v1"
        chains = {CHAIN_ID: Chain(CHAIN_ID, rpc_urls=(chain.url,))}
        config = OperatorConfig(url, KeyConfig(), chains, pause_seconds=0.2, shard=shard)
        self.address = str(signer.address)
        self._api = EngineApi(url, signer, clock, shard=shard)
        self._cursors = SqliteCursors(folder / f"{self.address}.db", self.address)
        self._process = OperatorProcess(config, self._api, self._cursors, clock, "9.9")
        self._thread = threading.Thread(target=self._process.run)

    @property
    def checks(self) -> int:
        """How many checks it has."""
        return self._process.report().figures[0].checks

    def passed(self, block: int) -> bool:
        """Whether it has watched the chain to that block."""
        [figures] = self._process.report().figures
        return figures.block >= block and figures.behind == 0

    @contextmanager
    def running(self) -> Iterator[SharingOperator]:
        """For the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._process.stop()
            self._thread.join(timeout=60)
            self._api.close()
            self._cursors.close()
