"""How often a trigger may fire, and templates that are resolved when a task is created."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

from task_engine.compiler.cron import CronError, fires_after
from task_engine.compiler.schema.base import is_address
from task_engine.compiler.schema.event import is_topic
from task_engine.config import Limits
from task_engine.errors import NodeError, Problem
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.trigger import TriggerType
from task_engine.template.pieces import pieces_of
from task_engine.template.render import render
from task_engine.template.scope import Scope

CODE = "INVALID_TRIGGER_CONFIG"
# Seconds between blocks; a chain that is not listed is taken for the fastest usual one.
BLOCK_SECONDS = {
    1: 12.0, 11155111: 12.0, 8453: 2.0, 84532: 2.0, 10: 2.0,
    56: 0.75, 42161: 0.25, 130: 0.2, 4663: 0.1,
}  # fmt: skip
_FIRES_LOOKED_AT = 64
# Each may take the whole time limit of a template.
_MOST_SCRIPTS = 10


def frequency_problems(
    kind: TriggerType, config: JsonObject, limits: Limits, now_ms: int
) -> Iterator[Problem]:
    """Cron and block triggers that would fire too often; `config` has passed its form."""
    if kind is TriggerType.CRON:
        yield from _cron_problems(config, limits.min_cron_gap_seconds, now_ms)
    elif kind is TriggerType.BLOCK:
        problem = _block_problem(config, limits.min_block_gap_seconds)
        if problem:
            yield Problem(CODE, "trigger.config.interval", problem)


def _cron_problems(config: JsonObject, floor_seconds: int, now_ms: int) -> Iterator[Problem]:
    """Each schedule by itself, then all of them together: they fire the same task."""
    schedules = config.get("schedules")
    zone = str(config.get("timezone") or "UTC")
    together: set[int] = set()
    alone_is_fine = True
    for place, text in enumerate(schedules if isinstance(schedules, list) else []):
        fires = _fires(str(text), zone, now_ms)
        problem = _gap_problem(fires, floor_seconds)
        if problem:
            alone_is_fine = False
            yield Problem(CODE, f"trigger.config.schedules[{place}]", problem)
        together.update(fires)
    if alone_is_fine and together:
        problem = _gap_problem(sorted(together)[:_FIRES_LOOKED_AT], floor_seconds)
        if problem:
            yield Problem(CODE, "trigger.config.schedules", f"together: {problem}")


def _fires(text: str, zone: str, now_ms: int) -> list[int]:
    try:
        return fires_after(text, zone, now_ms, _FIRES_LOOKED_AT)
    except CronError:
        # The form has accepted it, so it is one that never fires.
        return []


def _gap_problem(fires: list[int], floor_seconds: int) -> str | None:
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
    # What is no positive interval is its form's matter.
    if interval * seconds >= floor_seconds:
        return None
    least = math.ceil(floor_seconds / seconds)
    return f"{interval} blocks of chain {chain} are under {floor_seconds} s: use at least {least}"


def manual_size_problems(config: JsonObject, limits: Limits) -> Iterator[Problem]:
    """Data above the bound."""
    data = config.get("data")
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    if len(text.encode("utf-8", "surrogatepass")) > limits.max_manual_data_bytes:
        bound = limits.max_manual_data_bytes
        yield Problem(CODE, "trigger.config.data", f"may have {bound} bytes at most")


def frozen_event(
    config: JsonObject, variables: dict[str, JsonValue], limits: Limits
) -> tuple[JsonObject, list[Problem]]:
    """The configuration with templates in addresses and topics resolved, and what could not be."""
    freezer = _Freezer(Scope(variables, limits=limits))
    queries: list[JsonValue] = []
    listed = config.get("queries")
    for place, query in enumerate(listed if isinstance(listed, list) else []):
        frozen = dict(query) if isinstance(query, dict) else {}
        for field, fits in (("addresses", is_address), ("topics", is_topic)):
            values = frozen.get(field)
            if isinstance(values, list):
                path = f"trigger.config.queries[{place}].{field}"
                frozen[field] = [
                    freezer.frozen(value, f"{path}[{i}]", fits) for i, value in enumerate(values)
                ]
        queries.append(frozen)
    return {**config, "queries": queries}, freezer.problems


class _Freezer:
    """Resolves templates while a task is created, and not too many that need JavaScript."""

    def __init__(self, scope: Scope) -> None:
        self.problems: list[Problem] = []
        self._scope = scope
        self._scripts = 0

    def frozen(self, value: JsonValue, path: str, fits: Callable[[str], bool]) -> JsonValue:
        """The value, resolved where it holds a template."""
        if not isinstance(value, str) or "{{" not in value:
            return value
        self._scripts += sum(piece.expression and piece.path is None for piece in pieces_of(value))
        if self._scripts > _MOST_SCRIPTS:
            text = f"more than {_MOST_SCRIPTS} templates are expressions: use plain paths"
            self.problems.append(Problem(CODE, path, text))
            return value
        try:
            text = render(value, self._scope, path).text.strip()
        except NodeError as error:
            self.problems.append(Problem(CODE, path, error.message))
            return value
        if not fits(text):
            shown = f"{value[:60]} resolves to {text[:80]!r}"
            self.problems.append(Problem(CODE, path, f"{shown}, which is none"))
        return text
