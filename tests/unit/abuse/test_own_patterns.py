"""No regular expression of ours takes long, whatever text it meets."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import task_engine

import task_engine_client
from tests.unit.abuse.hostile_texts import hostile_texts

LENGTH = 60_000
SECONDS = 0.5
ROOTS = [Path(package.__path__[0]) for package in (task_engine, task_engine_client)]
# Patterns made where they are used: of escaped texts, or of the two in `base.py`.
MADE_LATER = {
    ("api/allowed.py", "_pattern"),
    ("compiler/schema/base.py", "matching"),
    ("template/redact.py", "_any_of"),
}


class TooSlow(Exception):
    """A pattern took more processor time than it may."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raises TooSlow inside after that much processor time; matching looks for signals."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def module_patterns() -> dict[str, re.Pattern[Any]]:
    """Every pattern that stands in a module, by its place."""
    found: dict[str, re.Pattern[Any]] = {}
    for package in (task_engine, task_engine_client):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if info.name.endswith("__main__"):
                continue
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    found.setdefault(f"{info.name}.{name}", value)
    return found


def inline_patterns() -> dict[str, re.Pattern[Any]]:
    """Patterns given to re.sub and the like, which must be plain texts."""
    found: dict[str, re.Pattern[Any]] = {}
    for place, call in _calls(("sub", "split", "fullmatch", "match", "search", "findall")):
        pattern = call.args[0]
        assert isinstance(pattern, ast.Constant), f"{place}: compile this pattern in the module"
        found[f"{place}:{call.lineno}"] = re.compile(pattern.value)
    return found


def _calls(names: tuple[str, ...]) -> Iterator[tuple[str, ast.Call]]:
    for root in ROOTS:
        for path in sorted(root.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.func.attr in names
                ):
                    yield str(path.relative_to(root)), node


def uses_of(place: str) -> set[str]:
    """Methods of the pattern that its module calls; all where it is handed on."""
    module, _, name = place.rpartition(".")
    if ":" in place:
        return {"sub"}
    source = Path(str(sys.modules[module].__file__)).read_text()
    called = set(re.findall(rf"(?<![\w.]){name}\.(\w+)", source))
    handed_on = len(re.findall(rf"(?<![\w.]){name}\b", source)) - 1
    counted = len(re.findall(rf"(?<![\w.]){name}\.\w+", source))
    return called if called and handed_on == counted else set(USES)


USES: dict[str, Callable[[re.Pattern[Any], Any], object]] = {
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "match": lambda pattern, text: pattern.match(text),
    "search": lambda pattern, text: pattern.search(text),
    "sub": lambda pattern, text: pattern.sub(text[:0], text),
    "subn": lambda pattern, text: pattern.subn(text[:0], text),
    "split": lambda pattern, text: pattern.split(text),
    "findall": lambda pattern, text: pattern.findall(text),
    "finditer": lambda pattern, text: deque(pattern.finditer(text), 0),
}
PATTERNS = {**module_patterns(), **inline_patterns()}


@pytest.mark.parametrize("place", PATTERNS)
def test_no_text_makes_a_pattern_slow(place: str) -> None:
    # Given texts of 60,000 characters made to suit the pattern
    pattern = PATTERNS[place]
    uses = uses_of(place)
    assert uses
    for text in hostile_texts(pattern, LENGTH):
        subject: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
        # When it is used as the engine uses it, then that takes a moment at most
        for use in uses:
            try:
                with bounded(SECONDS):
                    USES[use](pattern, subject)
            except TooSlow:
                pytest.fail(f"{use} of {text[:60]!r}…")


def test_patterns_stand_in_modules_where_this_finds_them() -> None:
    # Given the functions that compile patterns
    made_later = set()
    for root in ROOTS:
        for path in root.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and _compiles(node):
                    made_later.add((str(path.relative_to(root)), node.name))
    # Then they are those that make them of escaped texts
    assert made_later == MADE_LATER


def _compiles(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
        for node in ast.walk(function)
    )


def first_slow(pattern: re.Pattern[str]) -> str:
    """The first of the hostile texts that takes too long."""
    for text in hostile_texts(pattern, LENGTH):
        try:
            with bounded(SECONDS):
                pattern.search(text)
        except TooSlow:
            return text
    return ""


@pytest.mark.parametrize("evil", [r"(a+)+$", r"(?:a|a)*b", r"\s+$", r'"(?:[^"\\]|\\.)*"'])
def test_a_bad_pattern_would_be_found(evil: str) -> None:
    assert first_slow(re.compile(evil))
