"""The long-lived process: a thread for each chain, heartbeats, and an orderly end."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from task_engine.clock import Clock
from task_engine.errors import EngineError, Forbidden
from task_engine.evm.chains import Chains
from task_engine.evm.tokens import TokenService
from task_engine.model.chain import Chain
from task_engine.operator.check_set import CheckSet
from task_engine.operator.cursor import CursorStore
from task_engine.operator.latecomers import Latecomers
from task_engine.operator.progress import ChainProgress
from task_engine.operator.rereading import Rereading
from task_engine.operator.rules import WatchRules
from task_engine.operator.run_loop import ChainWatch, Pace, RunLoop
from task_engine.operator.watch import Watcher, WatchPorts

from task_engine_operator.api import EngineApi
from task_engine_operator.config import OperatorConfig
from task_engine_operator.metrics import Report

log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Watched:
    chain: Chain
    loop: RunLoop
    progress: ChainProgress


class OperatorProcess:
    """Watches every chain of the settings until it is told to stop; then each chain's pass is
    finished, its notices are sent and its cursor written."""

    def __init__(
        self,
        config: OperatorConfig,
        api: EngineApi,
        cursors: CursorStore,
        clock: Clock,
        version: str,
    ) -> None:
        self._config = config
        self._api = api
        self._cursors = cursors
        self._clock = clock
        self._version = version
        self._stop = threading.Event()
        self._failed = False
        self._heard_ms = 0
        chains = Chains(config.chains, clock=clock)
        tokens = TokenService(chains)
        self._watched = [
            self._watch(chain, WatchPorts(chains.rpc(chain_id), cursors, api, tokens))
            for chain_id, chain in sorted(config.chains.items())
        ]

    def stop(self) -> None:
        """End soon; for signal handlers and other threads."""
        self._stop.set()

    def report(self) -> Report:
        """How it goes, for whoever asks."""
        return Report(
            figures=[each.progress.figures() for each in self._watched],
            block_seconds={each.chain.id: each.chain.block_seconds for each in self._watched},
            heard_ms=self._heard_ms,
            now_ms=self._clock.now_ms(),
            left_out=self._api.left_out,
            stopping=self._stop.is_set(),
        )

    def run(self) -> bool:
        """Returns after `stop`, True when all went well; False when a chain's watch broke down.

        Raises Forbidden when the engine does not listen to this operator.
        """
        self._register()
        threads = [
            threading.Thread(target=self._guarded, args=(each,), name=f"chain-{each.chain.id}")
            for each in self._watched
        ]
        for thread in threads:
            thread.start()
        while not self._stop.wait(_HEARTBEAT_SECONDS):
            self._beat()
        for thread in threads:
            thread.join()
        self._beat()
        return not self._failed

    def _register(self) -> None:
        """The engine believes those only whom it knows; one that can't be reached is waited for."""
        failures, pace = 0, Pace()
        while not self._stop.is_set():
            try:
                self._heartbeat()
            except Forbidden:
                raise
            except EngineError as error:
                failures += 1
                log.warning("not registered yet: %s", error.message)
                self._stop.wait(pace.back_off(failures))
            else:
                log.info("registered")
                return

    def _beat(self) -> None:
        try:
            self._heartbeat()
        except EngineError as error:
            log.warning("no heartbeat: %s", error.message, extra={"code": error.stable_code})

    def _heartbeat(self) -> None:
        blocks = {each.chain.id: each.progress.figures().block for each in self._watched}
        self._api.heartbeat(self._version, blocks)
        self._heard_ms = self._clock.now_ms()

    def _guarded(self, each: _Watched) -> None:
        """A watch that breaks down ends the process: whoever runs it starts it again."""
        try:
            each.loop.run(lambda: not self._stop.is_set())
        except Exception:
            self._failed = True
            log.exception("the watch broke down", extra={"chain_id": each.chain.id})
        finally:
            self._stop.set()

    def _watch(self, chain: Chain, ports: WatchPorts) -> _Watched:
        rules = WatchRules.of(chain)
        checks = CheckSet(chain.id, self._config.shard)
        progress = ChainProgress(chain.id, rules, self._clock.now_ms())
        pace = Pace.of(chain.block_seconds)
        if self._config.pause_seconds:
            pace = Pace(self._config.pause_seconds)
        watch = ChainWatch(
            Watcher(ports, checks, rules, self._clock),
            checks,
            Rereading(self._api, self._clock),
            Latecomers(ports, checks, rules, self._clock),
        )
        loop = RunLoop(watch, progress, pace, self._clock, self._pause)
        return _Watched(chain, loop, progress)

    def _pause(self, seconds: float) -> None:
        self._stop.wait(seconds)
