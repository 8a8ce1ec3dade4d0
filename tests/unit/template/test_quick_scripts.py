"""Scripts that run in the process give what the child would give, whatever happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from task_engine.config import Limits
from task_engine.model.json_value import JsonValue
from task_engine.template import script
from task_engine.template.quick import is_quick_body
from task_engine.template.scope import Scope
from task_engine.template.script import ScriptResult, run_script
from task_engine.template.script_source import prepare

DEEP = "[" * 150 + "1" + "]" * 150
VARIABLES: dict[str, JsonValue] = {
    "start": {"data": {"items": [1, 2, 3], "text": "a\u0000b", "big": 2**60, "none": None}},
    "list": list(range(1500)),
}
SOURCES = [
    "return start.data.items.map(i => i * 2)",
    "return {a: start.data, b: [1, , 2]}",
    "return start.data.nowhere",
    "return start.data.none.x",
    "return nothing",
    "return",
    "return undefined",
    "return 1 / 0",
    "return -0",
    "return BigInt(9007199254740993)",
    "return BigInt('x')",
    "return x => x",
    "return start.data.big",
    "return start.data.text",
    "return '{{start.data.text}}' + {{start.data.big}}",
    "return (",
    "return [].reduce((a, b) => a)",
    f"return {DEEP}",
    "return parseUnit('1.5', 18)",
    "return list.map(a => list.map(b => list.map(c => a + b + c).min))",
]


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds given to each child."""
    seen: list[float] = []
    original = script.in_child

    def counted(work: Callable[[], str], seconds: float) -> str:
        seen.append(seconds)
        return original(work, seconds)

    monkeypatch.setattr(script, "in_child", counted)
    return seen


def outcome(source: str, limits: Limits) -> ScriptResult | str:
    scope = Scope(VARIABLES, limits=limits)
    try:
        return run_script(prepare(source, scope), scope, {})
    except Exception as error:  # compared, whatever it is
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("source", SOURCES)
def test_both_ways_give_the_same(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given what the process makes of it
    limits = Limits(template_timeout_ms=50, script_timeout_seconds=1)
    assert is_quick_body(prepare(source, Scope(VARIABLES)).source) or source in ("return (",)
    here = outcome(source, limits)
    # When only a child may run it
    monkeypatch.setattr(script, "is_quick_body", lambda _: False)
    # Then it is the same, errors and their texts too
    assert outcome(source, limits) == here


def test_short_code_costs_no_fork(forks: list[float]) -> None:
    # When
    result = outcome("return start.data.items.map(i => i * 2)", Limits())
    # Then
    assert result == ScriptResult([2, 4, 6])
    assert forks == []


@pytest.mark.parametrize(
    "source", ["const a = 1; return a", "console.log(1)", "return typeof console", "return nothing"]
)
def test_everything_else_has_a_child(source: str, forks: list[float]) -> None:
    outcome(source, Limits())
    assert len(forks) == 1
