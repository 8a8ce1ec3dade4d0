"""Templates, conditions and scripts: what one costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from task_engine.config import Limits
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.model.secret import SecretValue
from task_engine.processors.base import Scope
from task_engine.processors.branch import BranchProcessor
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.processors.filter import FilterProcessor
from task_engine.template.redact import Redactor
from task_engine.template.render import render

_LIMITS = Limits()
_ROWS: list[JsonValue] = [{"id": i, "name": f"row {i}", "price": i / 7} for i in range(1000)]
_SCOPE = Scope(
    {
        "node": {"data": {"field": [{"x": 7, "user_id": 1}], "rows": _ROWS[:10]}},
        "rows": {"data": _ROWS},
        "settings": {"id": 3},
    }
)


def run() -> list[dict[str, object]]:
    """Medians: microseconds of a rendering, milliseconds of a processor's run."""
    secrets = {"KEY": SecretValue("sk-0123456789abcdef")}
    code = _node(NodeType.CUSTOM_CODE, source="return node.data.rows.map(r => r.price * 2)")
    lodash = _node(
        NodeType.CUSTOM_CODE, source="return require('lodash').sumBy(node.data.rows, 'id')"
    )
    branch = _node(
        NodeType.BRANCH,
        conditions=[{"id": "a", "type": "if", "expression": "{{settings.id}} > 2"}],
    )
    kept = _node(NodeType.FILTER, inputVariable="rows.data", expression="value.price > 50")
    return [
        _row("plain path", _micros(_rendered("{{node.data.field[0].x}}"), 2000), "µs", "≤ 5"),
        _row(
            "bridged path", _micros(_rendered("{{node.data.field[0].userId}}"), 2000), "µs", "≤ 5"
        ),
        _row("JavaScript", _micros(_rendered("{{settings.id + 1}}"), 50), "µs", "≤ 300"),
        _row(
            "JavaScript over a list",
            _micros(_rendered("{{node.data.rows.find(r => r.id === settings.id).name}}"), 50),
            "µs",
            "≤ 300",
        ),
        _row(
            "JavaScript that needs a child",
            _micros(_rendered("{{node.data.rows.map(r => r.name).join()}}"), 5) / 1000,
            "ms",
            "",
        ),
        _row("branch", _millis(lambda: BranchProcessor(_LIMITS).run(branch, _SCOPE)), "ms", ""),
        _row(
            "filter of 1000", _millis(lambda: FilterProcessor(_LIMITS).run(kept, _SCOPE)), "ms", ""
        ),
        _row(
            "custom code", _millis(lambda: CustomCodeProcessor(_LIMITS).run(code, _SCOPE)), "ms", ""
        ),
        _row(
            "custom code with lodash",
            _millis(lambda: CustomCodeProcessor(_LIMITS).run(lodash, _SCOPE)),
            "ms",
            "",
        ),
        _row("redaction of 1000 rows", _millis(lambda: Redactor(secrets).json(_ROWS)), "ms", ""),
    ]


def _row(name: str, value: float, unit: str, target: str) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "target": target}


def _node(node_type: NodeType, **config: JsonValue) -> PlanNode:
    return PlanNode("n1", "bench", node_type, config, 1)


def _rendered(template: str) -> Callable[[], object]:
    return lambda: render(template, _SCOPE)


def _micros(work: Callable[[], object], times: int) -> float:
    """Median of 15 rounds, each the mean of `times` runs."""
    work()
    rounds = []
    for _ in range(15):
        began = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - began) / times * 1e6)
    return statistics.median(rounds)


def _millis(work: Callable[[], object]) -> float:
    return _micros(work, 3) / 1000
