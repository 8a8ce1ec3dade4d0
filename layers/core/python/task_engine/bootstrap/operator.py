"""Wiring of the deployment's own operator."""

from __future__ import annotations

import time
from functools import cache

from task_engine.aws.check_repository import CheckRepository
from task_engine.aws.cursor_repository import CursorRepository
from task_engine.aws.heartbeats import OwnHeartbeats
from task_engine.aws.kms_keys import KmsKeys
from task_engine.aws.lease_repository import LeaseRepository
from task_engine.aws.notice_queue import SqsNoticeQueue
from task_engine.aws.own_notices import SqsNotifier
from task_engine.bootstrap.chains import chains, tokens
from task_engine.bootstrap.core import client, clock, dynamo, settings
from task_engine.errors import ConfigurationError
from task_engine.evm.signer import KmsSigner
from task_engine.model.shard import shard_setting
from task_engine.observability import configure_logging
from task_engine.operator.check_set import CheckSet
from task_engine.operator.latecomers import Latecomers
from task_engine.operator.notices import NoticeWriter
from task_engine.operator.progress import ChainProgress
from task_engine.operator.rereading import Rereading
from task_engine.operator.rules import WatchRules
from task_engine.operator.run_loop import ChainWatch, Pace
from task_engine.operator.watch import Watcher, WatchPorts
from task_engine.services.watch_turn import ChainTurn, TurnPorts, WatchTurns

configure_logging("operator")

_RUN_SECONDS = 57.0
_PATIENCE_SECONDS = 15.0
"""How long a turn waits for the one before it to end."""
_VERSION = "embedded"


@cache
def turns() -> WatchTurns:
    """Behind the rules that fire each minute."""
    lease = LeaseRepository(dynamo(), settings(), clock(), patience_seconds=_PATIENCE_SECONDS)
    heartbeats = OwnHeartbeats(dynamo(), settings(), lambda: str(_signer().address), _VERSION)
    ports = TurnPorts(_chain, heartbeats, lease, clock(), time.sleep)
    return WatchTurns(ports, _seconds("OPERATOR_RUN_SECONDS", _RUN_SECONDS), settings().stage)


@cache
def _signer() -> KmsSigner:
    return KmsSigner(KmsKeys(client("kms")), settings().name("OPERATOR_KEY"))


def _chain(chain_id: int) -> ChainTurn:
    chain = chains().chain(chain_id)
    rules = WatchRules.of(chain)
    checks = CheckSet(chain_id, shard_setting(settings().names.get("OPERATOR_SHARD", "")))
    ports = WatchPorts(
        rpc=chains().rpc(chain_id),
        cursors=CursorRepository(dynamo(), settings(), str(_signer().address)),
        notifier=SqsNotifier(
            SqsNoticeQueue(client("sqs"), settings()), NoticeWriter(_signer(), clock())
        ),
        tokens=tokens(),
    )
    source = Rereading(CheckRepository(dynamo(), settings(), clock()), clock())
    pace = Pace.of(chain.block_seconds)
    return ChainTurn(
        watch=ChainWatch(
            Watcher(ports, checks, rules, clock()),
            checks,
            source,
            Latecomers(ports, checks, rules, clock()),
        ),
        progress=ChainProgress(chain_id, rules, clock().now_ms()),
        pace=Pace(_seconds("OPERATOR_PAUSE_SECONDS", pace.pause_seconds)),
        block_seconds=chain.block_seconds,
    )


def _seconds(name: str, default: float) -> float:
    text = settings().names.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError as error:
        raise ConfigurationError(f"the setting TASK_ENGINE_{name} is no number") from error
    if not 0 < seconds < 90:
        raise ConfigurationError(f"the setting TASK_ENGINE_{name} must be from 0 to 90 seconds")
    return seconds
