"""How long a task takes from request to plan: compiling, and checking before it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from itertools import chain, count

from task_engine.compiler.compile import compile_definition
from task_engine.compiler.rules import ValidationRules
from task_engine.compiler.validate import validate_task
from task_engine.config import Limits
from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonValue
from task_engine.model.node import Node, NodeType
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerType

_LAYER = 50
_RUNNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
Pairs = list[tuple[str, str]]


def run() -> list[dict[str, object]]:
    """Seconds per shape and size, and the growth from 1,000 to 10,000 nodes."""
    rows: list[dict[str, object]] = []
    for name, shape in (("chain", _chain), ("fan-out", _fan), ("layers", _layers)):
        small = _row(rows, name, shape(1000), "≤ 0.1")
        large = _row(rows, name, shape(10_000), "≤ 1")
        growth = {"name": f"{name}: time of 10,000 nodes over 1,000", "unit": "times"}
        rows.append({**growth, "value": large / small, "target": "linear: about 10"})
    rows.append(
        {
            "name": "checking a request of 1,000 nodes",
            "value": _seconds(_checking(1000)),
            "unit": "s",
            "target": "≤ 1",
        }
    )
    return rows


def _row(rows: list[dict[str, object]], name: str, given: Definition, target: str) -> float:
    seconds = _seconds(lambda: compile_definition(given))
    row = {"name": f"{name}: compile {len(given.nodes):,} nodes", "value": seconds}
    rows.append({**row, "unit": "s", "target": target})
    return seconds


def _seconds(work: Callable[[], object]) -> float:
    """The best of five: what the work takes when nothing else disturbs it."""
    times = []
    for _ in range(5):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _definition(size: int, pairs: Pairs, before: int) -> Definition:
    """Each node reads the one `before` places earlier."""
    numbers = count(1)
    nodes = tuple(
        Node(
            f"n{i}",
            f"n{i}",
            NodeType.CUSTOM_CODE,
            {"lang": "javascript", "source": _source(i, before)},
        )
        for i in range(size)
    )
    edges = tuple(Edge(f"e{next(numbers)}", source, target) for source, target in pairs)
    return Definition(Trigger("t", "start", TriggerType.MANUAL, {}), nodes, edges)


def _source(place: int, before: int) -> str:
    read = f"n{place - before}.data" if place >= before else "start.data"
    return f"const got = {read}; return {{ value: got.value + {place} }}"


def _chain(size: int) -> Definition:
    return _definition(size, _chain_pairs(size), 1)


def _chain_pairs(size: int) -> Pairs:
    return [("t", "n0"), *((f"n{i}", f"n{i + 1}") for i in range(size - 1))]


def _fan(size: int) -> Definition:
    return _definition(size, [("t", f"n{i}") for i in range(size)], size)


def _layers(size: int) -> Definition:
    """Each node follows three of the layer before."""
    first = [("t", f"n{i}") for i in range(_LAYER)]
    rest = (
        (f"n{(i // _LAYER - 1) * _LAYER + (i + step) % _LAYER}", f"n{i}")
        for i in range(_LAYER, size)
        for step in (0, 7, 23)
    )
    return _definition(size, [*chain(first, rest)], _LAYER)


def _checking(size: int) -> Callable[[], object]:
    def read(place: int) -> str:
        return f"n{place - 1}" if place else "start"

    nodes: list[JsonValue] = [
        {
            "id": f"n{i}",
            "type": "restApi",
            "config": {"url": f"https://x.org/{{{{{read(i)}.data}}}}"},
        }
        for i in range(size)
    ]
    edges: list[JsonValue] = [
        {"id": f"e{i}", "source": source, "target": target}
        for i, (source, target) in enumerate(_chain_pairs(size))
    ]
    body: dict[str, JsonValue] = {
        "trigger": {"id": "t", "name": "start", "type": "manual", "config": {}},
        "nodes": nodes,
        "edges": edges,
        "inputVariables": {"settings": {"runner": _RUNNER}},
    }
    rules = ValidationRules(Limits(), frozenset(), 0)
    return lambda: validate_task(body, rules)
