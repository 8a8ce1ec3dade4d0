"""Each promise of the documentation is held by tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "guarantees.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROWS = [
    line.split("|")[1:3]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


@cache
def names_in(file: str) -> set[str]:
    """Names of the tests in a file, without importing it."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("promise", "held_by"), ROWS, ids=[row[0].strip()[:40] for row in ROWS])
def test_a_promise_is_one_sentence_held_by_tests(promise: str, held_by: str) -> None:
    assert promise.strip().endswith(".")
    assert promise.strip().count(". ") == 0
    named = TEST.findall(held_by)
    assert named
    assert held_by.count("`") == 2 * len(named), "nothing but tests stands there"
    for file, name in named:
        assert name in names_in(file), f"{file}::{name}"


def test_there_are_promises() -> None:
    assert len(ROWS) >= 30
