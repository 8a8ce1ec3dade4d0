"""The sandbox: what comes out of it, and that nothing makes it hang."""

from __future__ import annotations

import time

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.template.failures import ScriptError
from task_engine.template.quick import is_quick
from task_engine.template.sandbox import Sandbox, syntax_error

LIMITS = Limits(template_timeout_ms=250, script_timeout_seconds=1, script_memory_bytes=16 << 20)
SANDBOX = Sandbox(LIMITS)
VARIABLES: dict[str, JsonValue] = {
    "start": {"data": {"n": 5, "user_id": 3, "userName": "ada", "list": [{"id": 1}, {"id": 2}]}},
    "other": {"secret": "unnamed"},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("start.data.n + 1", 6),
        ("start.data.userId + start.data.user_name.length", 6),
        ("10n ** 30n", "1" + "0" * 30),
        ("[1n, new Map([['a', 2n]])]", ["1", {"a": "2"}]),
        ("new Uint8Array([1, 2])", [1, 2]),
        ("new Set([1])", [1]),
        ("({f() {}, g: undefined, h: Symbol('x'), i: Promise.resolve(1)})", dict.fromkeys("fghi")),
        ("[0/0, 1/0]", [0, 0]),
        ("'a\\0b\\ud800'", "a\0b\ufffd"),
        ("'😀'", "😀"),
        ("2 ** 60", 1152921504606847000),
        ("[new Date(0), new Date(NaN)]", ["1970-01-01T00:00:00.000Z", None]),
        ('{"a": 1}', {"a": 1}),
        ("start.data.n // a comment", 5),
        ("let a = 1; a + 1", 2),
        ("new Date(2020, 6, 1).getTimezoneOffset()", 0),
    ],
)
def test_values_come_out_as_json(expression: str, value: JsonValue) -> None:
    assert SANDBOX.evaluate(expression, VARIABLES).value == value


@pytest.mark.parametrize(
    "expression", ["undefined", "null", "() => 1", "Symbol('x')", "Promise.resolve(1)"]
)
def test_what_is_no_value_is_not_defined(expression: str) -> None:
    assert not SANDBOX.evaluate(expression, VARIABLES).defined


def test_a_date_is_told_from_a_text() -> None:
    assert SANDBOX.evaluate("new Date(0)", {}).date
    assert not SANDBOX.evaluate("'1970-01-01'", {}).date


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nobody.x", "ReferenceError: nobody is not defined"),
        ("throw new TypeError('no\\ngood')", "TypeError: no\ngood"),
        ("throw 'text'", "text"),
        ("1 +", "SyntaxError"),
        ("(() => { const o = {}; o.o = o; return o })()", "refers to itself"),
    ],
)
def test_errors_carry_javascripts_message(expression: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        SANDBOX.evaluate(expression, VARIABLES)
    assert message in caught.value.message
    assert caught.value.stable_code == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "word",
    """fetch XMLHttpRequest WebSocket require process std os print load Deno Bun setTimeout
    setInterval console scriptArgs WebAssembly Worker crypto""".split(),
)
def test_nothing_of_the_host_is_there(word: str) -> None:
    assert SANDBOX.evaluate(f"typeof {word}", VARIABLES).value == "undefined"


def test_no_module_can_be_loaded() -> None:
    source = "let seen = null; import('os').then(m => { seen = m }); return seen"
    assert SANDBOX.run_function_body(source, {}, limit_seconds=1) is None


def test_who_reaches_for_the_global_object_sees_all_variables() -> None:
    names = SANDBOX.evaluate("Object.keys(globalThis)", VARIABLES).value
    assert isinstance(names, list)
    assert {"start", "other"} <= set(names)


def test_evaluations_share_nothing() -> None:
    SANDBOX.evaluate("Array.prototype.map = null; start.data.n = 9", VARIABLES)
    assert SANDBOX.evaluate("[start.data.n].map(x => x)[0]", VARIABLES).value == 5


def test_data_is_never_code() -> None:
    variables: dict[str, JsonValue] = {"x": {"__proto__": {"bad": 1}, "t": "'); throw 1; ('"}}
    assert SANDBOX.evaluate("[x.t, x.bad === undefined]", variables).value == [
        "'); throw 1; ('",
        True,
    ]


@pytest.mark.parametrize("name", ["undefined", "NaN", "not-a-name", "class", "__proto__"])
def test_odd_variable_names_do_no_harm(name: str) -> None:
    variables: dict[str, JsonValue] = {name: 1, "x": 2}
    assert SANDBOX.evaluate(f"x + 1 // {name}", variables).value == 3


HAZARDS = {
    "an endless loop": "for (;;);",
    "an endless loop that catches": "for (;;) { try { for (;;); } catch (e) {} }",
    "a catastrophic pattern": "/(a+)+$/.test('a'.repeat(40) + 'b')",
    "another catastrophic pattern": "'x'.repeat(50).match(/(x+x+)+y/)",
    "a search in a huge text": "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
    "a split of a huge text": "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b')",
    "a walk over a huge hole": "Array(4294967295).some(x => 1)",
    "a sort that never ends": "Array.from({length: 1000}, Math.random).sort(() => { for (;;); })",
    "a search by another name": "''['index' + 'Of'].call('a'.repeat(4e6), 'a'.repeat(2e6) + 'b')",
    "an endless getter": "({get x() { for (;;); }}).x",
    "an endless conversion": "({toJSON() { for (;;); }})",
    "an endless iterator": "[...{*[Symbol.iterator]() { for (;;) yield; }}]",
}


@pytest.mark.parametrize("expression", HAZARDS.values(), ids=HAZARDS.keys())
def test_nothing_hangs(expression: str) -> None:
    began = time.monotonic()
    with pytest.raises(NodeError) as caught:
        SANDBOX.evaluate(expression, VARIABLES)
    assert time.monotonic() - began < 5
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"
    assert "timeout" in caught.value.message or "out of memory" in caught.value.message


BOMBS = {
    "a growing list": "let a = []; for (;;) a.push('x'.repeat(1e5) + a.length)",
    "a doubling text": "let s = 'x'; for (;;) s += s + [s]",
    "a huge array": "new Array(1e7).fill(0).map(x => [x])",
    "a swelling reduction": "start.data.list.map(() => 'x'.repeat(15e6) + Math.random())",
}


@pytest.mark.parametrize("expression", BOMBS.values(), ids=BOMBS.keys())
def test_memory_is_bounded(expression: str) -> None:
    sandbox = Sandbox(Limits(template_timeout_ms=5000, script_memory_bytes=16 << 20))
    with pytest.raises(NodeError) as caught:
        sandbox.evaluate(expression, VARIABLES)
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"
    assert "out of memory" in caught.value.message


@pytest.mark.parametrize(
    "expression",
    [
        "(function f() { return f() + 1 })()",
        "(f => f(f))(f => 1 + f(f))",
        "JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))",
        "[0].map(function g() { return [0].map(g) })",
    ],
)
def test_deep_recursion_ends(expression: str) -> None:
    with pytest.raises(NodeError, match=r"stack|nested"):
        SANDBOX.evaluate(expression, VARIABLES)


def test_a_quick_expression_is_stopped_by_its_limit() -> None:
    big: dict[str, JsonValue] = {"list": list(range(1000))}
    expression = "list.map(a => list.map(b => list.map(c => a + b + c)))"
    assert is_quick(expression)
    with pytest.raises(NodeError) as caught:
        SANDBOX.evaluate(expression, big)
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"


def test_large_data_does_not_count_as_the_scripts_memory() -> None:
    rows: list[JsonValue] = [{"id": i, "text": "x" * 100} for i in range(20_000)]
    assert SANDBOX.evaluate("rows.length", {"rows": rows}).value == 20_000


def test_numbers_that_json_has_not_are_null() -> None:
    variables: dict[str, JsonValue] = {"x": [float("nan"), float("inf"), 1.5]}
    assert SANDBOX.evaluate("x", variables).value == [None, None, 1.5]


def test_any_character_may_stand_in_a_source() -> None:
    assert SANDBOX.evaluate("'a\0b\ud800é😀'.length", {}).value == 7


@pytest.mark.parametrize(
    "expression",
    [
        "list.reduce((a, x) => a + a, 'ab').startsWith('b')",
        "list.reduce((a, x) => [...a, ...a], [1]).length",
        "list.reduce((a, x) => a * a, 10n) > 5n",
        "list.reduce((a, x) => a * a, 10n).toString()",
        "list.reduce((a, x) => `${a}${a}`, 'ab') === 'x'",
        "list.reduce((a, x) => JSON.stringify(a + a), '\"')",
        "list.reduce((a, x) => ({a, b: a}), 1)",
    ],
)
def test_what_swells_inside_the_process_ends(expression: str) -> None:
    assert is_quick(expression) or "\\" in expression
    began = time.monotonic()
    try:
        SANDBOX.evaluate(expression, {"list": list(range(200))})
    except NodeError as error:
        assert error.stable_code in ("EXECUTION_ENGINE_ERROR", "INVALID_REQUEST")  # noqa: PT017
    assert time.monotonic() - began < 5


def test_an_expression_may_not_be_too_long() -> None:
    with pytest.raises(NodeError) as caught:
        Sandbox(Limits(max_template_bytes=10)).evaluate("1 + 1 + 1 + 1", {})
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"


@pytest.mark.parametrize(
    ("kind", "source", "wrong"),
    [
        ("expression", "a + 1", False),
        ("expression", "a + 1 // why", False),
        ("expression", "a +", True),
        ("expression", "return 1", True),
        ("body", "return 1", False),
        ("body", "for (;;);", False),
        ("body", "retrn 1", True),
        ("body", "throw new Error('not run')", False),
    ],
)
def test_syntax_is_checked_without_running(kind: str, source: str, wrong: bool) -> None:
    message = syntax_error("body" if kind == "body" else "expression", source)
    assert (message is not None) is wrong
    assert message is None or message.startswith("SyntaxError")
