"""What a trigger would bring if it fired now; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from task_engine.clock import Clock
from task_engine.config import Limits
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.trigger import TriggerType
from task_engine.run.node_runner import failure
from task_engine.services.firing import manual_problem, merged_map, timed_data

_CONFIG = "INVALID_TRIGGER_CONFIG"


class OnChain(Protocol):
    """Triggers of blocks and events."""

    def outcome(
        self, kind: TriggerType, config: JsonObject, chain_id: int, wallet: str = ""
    ) -> Outcome:
        """What goes wrong is in the outcome."""


class TriggerTrials:
    """Tries triggers out; `on_chain` is made when a chain is first asked."""

    def __init__(self, limits: Limits, clock: Clock, on_chain: Callable[[], OnChain]) -> None:
        self._limits = limits
        self._clock = clock
        self._on_chain = on_chain

    def outcome(self, kind: TriggerType, config: JsonObject, wallet: str = "") -> Outcome:
        """Data of a trigger that fires now; a configuration that can't fire is the outcome's error.

        A cron that can't be read still has a time: now. Raises InvalidRequest for a trigger of
        blocks or events that names no chain.
        """
        if kind.on_chain:
            return self._on_chain().outcome(kind, config, _chain_of(config), wallet)
        if kind is TriggerType.MANUAL:
            return _manual(config, self._limits)
        if kind is TriggerType.FIXED_TIME and not config.get("epochs"):
            return failure(_CONFIG, "epochs is required: at least one time in milliseconds")
        if kind is TriggerType.CRON and not config.get("schedules"):
            return failure(_CONFIG, "schedules is required: at least one")
        return Outcome(data=timed_data(self._clock.now_ms()))


def _chain_of(config: JsonObject) -> int:
    given: JsonValue = config.get("chainId")
    given = config.get("chain_id") if given is None else given
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if type(given) is int and given > 0:
        return given
    text = "chain_id is required: a positive whole number in config.chainId"
    problem = Problem("TRIGGERS_BAD_TRIGGER", "trigger.config.chainId", text)
    raise InvalidRequest(text, (problem,), code="TRIGGERS_BAD_TRIGGER")


def _manual(config: JsonObject, limits: Limits) -> Outcome:
    if config.get("data") is None:
        return failure(_CONFIG, "data is required and cannot be null")
    if not config.get("lang"):
        return failure(_CONFIG, "lang is required: json, javascript, graphql or handlebars")
    problem = manual_problem(config["data"], str(config["lang"]), limits)
    if problem:
        return failure(_CONFIG, f"data {problem}")
    for name in ("headers", "pathParams"):
        try:
            merged_map(config.get(name))
        except ValueError:
            return failure(_CONFIG, f"{name} must be an object of texts")
    return Outcome(data=config["data"])
