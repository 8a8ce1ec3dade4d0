"""Which expressions may run in the process itself."""

from __future__ import annotations

import pytest
from task_engine.template.quick import is_quick


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
