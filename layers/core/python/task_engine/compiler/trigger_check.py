"""How often a trigger may fire, and templates that are resolved when a task is created."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise

from task_engine.compiler.cron import CronError, fires_after
from task_engine.config import Limits
from task_engine.errors import NodeError, Problem
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.trigger import TriggerType
from task_engine.template.render import render
from task_engine.template.scope import Scope

CODE = "INVALID_TRIGGER_CONFIG"
# Seconds between blocks; a chain that is not listed is taken for the fastest usual one.
BLOCK_SECONDS = {
    1: 12.0, 11155111: 12.0, 8453: 2.0, 84532: 2.0, 10: 2.0,
    56: 0.75, 42161: 0.25, 130: 0.2, 4663: 0.1,
}  # fmt: skip
_FIRES_LOOKED_AT = 64
_HEX = re.compile(r"0[xX](?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})")


def frequency_problems(
    kind: TriggerType, config: JsonObject, limits: Limits, now_ms: int
) -> Iterator[Problem]:
    """Cron and block triggers that would fire too often; `config` has passed its form."""
    if kind is TriggerType.CRON:
        schedules = config.get("schedules")
        zone = str(config.get("timezone") or "UTC")
        for place, text in enumerate(schedules if isinstance(schedules, list) else []):
            problem = _cron_problem(str(text), zone, limits.min_cron_gap_seconds, now_ms)
            if problem:
                yield Problem(CODE, f"trigger.config.schedules[{place}]", problem)
    elif kind is TriggerType.BLOCK:
        problem = _block_problem(config, limits.min_block_gap_seconds)
        if problem:
            yield Problem(CODE, "trigger.config.interval", problem)


def _cron_problem(text: str, zone: str, floor_seconds: int, now_ms: int) -> str | None:
    try:
        fires = fires_after(text, zone, now_ms, _FIRES_LOOKED_AT)
    except CronError as error:
        return str(error)
    if len(fires) < 2:
        return "fires once or never: use a fixedTime trigger"
    gap = min(later - earlier for earlier, later in pairwise(fires)) // 1000
    if gap < floor_seconds:
        return f"fires {gap} s apart: leave at least {floor_seconds} s between two times"
    return None


def _block_problem(config: JsonObject, floor_seconds: int) -> str | None:
    chain, interval = config.get("chainId"), config.get("interval")
    if not isinstance(chain, int) or not isinstance(interval, int):
        return None
    seconds = BLOCK_SECONDS.get(chain, 1.0)
    if interval * seconds >= floor_seconds:
        return None
    least = math.ceil(floor_seconds / seconds)
    return f"{interval} blocks of chain {chain} are under {floor_seconds} s: use at least {least}"


def manual_size_problems(config: JsonObject, limits: Limits) -> Iterator[Problem]:
    """Data above the bound."""
    data = config.get("data")
    text = data if isinstance(data, str) else json.dumps(data)
    if len(text.encode()) > limits.max_manual_data_bytes:
        bound = limits.max_manual_data_bytes
        yield Problem(CODE, "trigger.config.data", f"may have {bound} bytes at most")


def frozen_event(
    config: JsonObject, variables: dict[str, JsonValue], limits: Limits
) -> tuple[JsonObject, list[Problem]]:
    """The configuration with templates in addresses and topics resolved, and what could not be."""
    problems: list[Problem] = []
    scope = Scope(variables, limits=limits)
    queries: list[JsonValue] = []
    listed = config.get("queries")
    for place, query in enumerate(listed if isinstance(listed, list) else []):
        frozen = dict(query) if isinstance(query, dict) else {}
        for field in ("addresses", "topics"):
            values = frozen.get(field)
            if isinstance(values, list):
                path = f"trigger.config.queries[{place}].{field}"
                frozen[field] = [
                    _frozen(value, scope, f"{path}[{i}]", problems)
                    for i, value in enumerate(values)
                ]
        queries.append(frozen)
    return {**config, "queries": queries}, problems


def _frozen(value: JsonValue, scope: Scope, path: str, problems: list[Problem]) -> JsonValue:
    if not isinstance(value, str) or "{{" not in value:
        return value
    try:
        text = render(value, scope).text.strip()
    except NodeError as error:
        problems.append(Problem(CODE, path, error.message))
        return value
    if not _HEX.fullmatch(text):
        problems.append(Problem(CODE, path, "does not resolve to a hexadecimal address or topic"))
    return text
