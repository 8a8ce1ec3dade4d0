"""What custom code can do, and what it can't."""

from tests.cases.case import Case, Seen, code


def _gives(value: object):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "success", seen.error
        assert seen.data("run") == value

    return check


def _fails(*parts: str):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "failed"
        error = seen.step("run")["error"]
        assert any(part.lower() in error.lower() for part in parts), error

    return check


def _logs(seen: Seen) -> None:
    assert "hello 42" in seen.step("run")["log"]


def _case(name: str, source: str, value: object) -> Case:
    return Case(
        name=name,
        data={"n": 7, "list": [{"id": 1}, {"id": 2}]},
        nodes=lambda _: [code("run", source)],
        edges=[("t", "run")],
        check=_gives(value),
    )


def _bad(name: str, source: str, *parts: str) -> Case:
    return Case(
        name=name, nodes=lambda _: [code("run", source)], edges=[("t", "run")], check=_fails(*parts)
    )


CASES = [
    _case("return", "return start.data.n * 2", 14),
    _case("the last expression's value", "const a = 2; a * 21", 42),
    _case(
        "objects",
        "return {a: [1, 'x', null], b: {c: true}}",
        {"a": [1, "x", None], "b": {"c": True}},
    ),
    _case("undefined is null", "const a = 1; return undefined", None),
    _case(
        "BigInt is a decimal string",
        "return {v: 12345678901234567890n}",
        {"v": "12345678901234567890"},
    ),
    _case("dates are ISO", "return new Date(0)", "1970-01-01T00:00:00.000Z"),
    _case("maps are objects", "return new Map([['a', 1]])", {"a": 1}),
    _case("not a number is zero", "return [NaN, 1/0]", [0, 0]),
    _case("lodash", "const _ = require('lodash'); return _.sumBy(start.data.list, 'id')", 3),
    _case(
        "dayjs by import",
        "import dayjs from 'dayjs'; return dayjs(0).toISOString()",
        "1970-01-01T00:00:00.000Z",
    ),
    _case(
        "uuid",
        "const {v4, validate} = require('uuid'); return validate(v4()) && v4() !== v4()",
        True,
    ),
    _case("templates are values", "return {{start.data.list}}.length", 2),
    _case("the contract's context", "return context.executionCount", 1),
    Case(
        name="console.log goes to the step's log",
        nodes=lambda _: [code("run", "console.log('hello', 42); return 1")],
        edges=[("t", "run")],
        check=_logs,
    ),
    _bad("an exception", "throw new TypeError('no good')", "no good"),
    _bad("an unknown module", "return require('fs')", "fs"),
    _bad("an unknown variable", "return nobody.data", "nobody"),
    _bad("no network", "return fetch('http://127.0.0.1')", "fetch"),
    _bad("no process", "return process.env", "process"),
    _bad(
        "a memory bomb",
        "let a = []; for (;;) a.push('x'.repeat(1e6) + a.length); return 1",
        "memory",
    ),
    _bad("endless recursion", "function f() { return f() + 1 } return f()", "stack", "recursion"),
]
