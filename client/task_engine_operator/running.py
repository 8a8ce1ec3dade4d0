"""What the commands do: from settings to a running operator."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from task_engine.clock import SystemClock
from task_engine.model.json_value import JsonValue
from task_engine.observability import configure_logging
from task_engine.operator.check_codec import check_to_json
from task_engine.operator.check_set import CheckSet

from task_engine_operator.api import EngineApi
from task_engine_operator.config import OperatorConfig
from task_engine_operator.cursors import SqliteCursors
from task_engine_operator.keys import signer_of
from task_engine_operator.process import OperatorProcess
from task_engine_operator.web import MetricsServer

log = logging.getLogger(__name__)


def run(config: OperatorConfig, environ: Mapping[str, str], version: str) -> bool:
    """Watch until SIGTERM or SIGINT; True when all went well.

    Raises ConfigError, and EngineError when the engine does not listen to this operator.
    """
    configure_logging("operator")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signer = signer_of(config.key, environ)
    clock = SystemClock()
    cursors = SqliteCursors(config.state, f"{config.url} {signer.address}")
    api = EngineApi(config.url, signer, clock, shard=config.shard)
    process = OperatorProcess(config, api, cursors, clock, version)
    server = None
    if config.metrics_port:
        server = MetricsServer(config.metrics_host, config.metrics_port, process.report)
    try:
        with _stopped_by_signals(process):
            return process.run()
    finally:
        if server is not None:
            server.close()
        api.close()
        cursors.close()


def register(
    config: OperatorConfig, environ: Mapping[str, str], version: str
) -> dict[str, JsonValue]:
    """One heartbeat without watching: whether the engine listens. Raises as `run`."""
    api = _api(config, environ)
    try:
        return api.heartbeat(version, dict.fromkeys(config.chains, 0))
    finally:
        api.close()


def checks(config: OperatorConfig, environ: Mapping[str, str]) -> list[JsonValue]:
    """What there is to watch on the settings' chains, this operator's part of it. Raises as
    `run`."""
    api = _api(config, environ)
    found: list[JsonValue] = []
    try:
        for chain_id in sorted(config.chains):
            held = CheckSet(chain_id, config.shard)
            held.refresh(api)
            found += [check_to_json(held.checks[name]) for name in sorted(held.checks)]
    finally:
        api.close()
    return found


def _api(config: OperatorConfig, environ: Mapping[str, str]) -> EngineApi:
    return EngineApi(config.url, signer_of(config.key, environ), SystemClock(), shard=config.shard)


@contextmanager
def _stopped_by_signals(process: OperatorProcess) -> Iterator[None]:
    def stop(number: int, _frame: FrameType | None) -> None:
        log.info("stopping after %s", signal.Signals(number).name)
        process.stop()

    before = {name: signal.signal(name, stop) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
