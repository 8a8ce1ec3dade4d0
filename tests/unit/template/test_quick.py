"""Which expressions may run in the process itself."""

from __future__ import annotations

import pytest
from task_engine.template.quick import is_quick, is_quick_body


@pytest.mark.parametrize(
    "source",
    [
        "a.b + 1",
        "a.b > 1 && a.c !== 'x' || !d",
        "list.find(x => x.id === settings.id).name",
        "a?.b ?? 'none'",
        "list[0]['key']",
        "Number(a.b) * 2",
        "Math.max(...list)",
        "`a ${b.c} d`",
        "typeof (a)",
        "({a: 1, b: [1, 2]})",
        "c ? a : b",
        "bigGt(a, b)",
    ],
)
def test_short_ones_may(source: str) -> None:
    assert is_quick(source)


@pytest.mark.parametrize(
    "source",
    [
        "a.indexOf(b)",
        "a.repeat(9)",
        "a.split(b)",
        "a['index' + 'Of'](b)",
        "a[b](c)",
        "a[b]",
        "a['indexOf']",
        "list.some(a.includes, a)",
        "list.map(''.repeat)",
        "(() => f())()",
        "f()",
        "new Date()",
        "Array(9)",
        "/(a+)+/.test(b)",
        "a = 1",
        "a++",
        "a ** b",
        "let a = 1",
        "for (;;);",
        "a; b",
        "a`b`",
        "({['in' + 'cludes']: f}) => f",
        "({f() { return 1 }})",
        "a.\\u0069ndexOf(b)",
        "a.constructor.constructor",
        "x + " * 1000 + "x",
    ],
)
def test_others_may_not(source: str) -> None:
    assert not is_quick(source)


@pytest.mark.parametrize(
    "source",
    [
        "return 1",
        "return start.data.items.map(i => i * 2);",
        "  return {a: b.data, c: [d]} // done",
        "/* first */ return `a ${b.c}`",
        "return\n1",
        "return",
    ],
)
def test_a_body_that_returns_a_short_one_may(source: str) -> None:
    assert is_quick_body(source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "1",
        "const a = 1; return a",
        "return a; return b",
        "return a;;",
        "return a.repeat(9)",
        "return f()",
        "return console",
        "return typeof state",
        "return globalThis",
        "return this",
        "return arguments",
        "return list.map(() => { return 1 })",
        "return require('uuid')",
        "return await a",
        "return __s",
        "return " + "x + " * 1000 + "x",
    ],
)
def test_other_bodies_may_not(source: str) -> None:
    assert not is_quick_body(source)
