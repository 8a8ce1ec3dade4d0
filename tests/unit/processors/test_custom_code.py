"""What custom code may do, what comes of it, and how it is stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome, StepError
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.model.secret import MASK, SecretValue
from task_engine.processors.base import Scope
from task_engine.processors.custom_code import CustomCodeProcessor

LIMITS = Limits(script_timeout_seconds=1, script_memory_bytes=32 << 20)
VARIABLES: dict[str, JsonValue] = {
    "start": {"data": {"n": 7, "user_id": 4, "list": [{"id": 1}, {"id": 2}]}},
    "settings": {"name": "x"},
}


class State:
    """A `state.*` store in memory that counts its saves."""

    def __init__(self, **values: JsonValue) -> None:
        self.values: dict[str, JsonValue] = dict(values)
        self.saves = 0

    def load(self) -> dict[str, JsonValue]:
        return dict(self.values)

    def save(self, changes: Mapping[str, JsonValue]) -> None:
        self.saves += 1
        self.values.update(changes)


def node(source: JsonValue) -> PlanNode:
    return PlanNode("c1", "code", NodeType.CUSTOM_CODE, {"lang": "javascript", "source": source}, 1)


def run(source: JsonValue, **scope: object) -> Outcome:
    given = Scope(VARIABLES, limits=LIMITS, **scope)  # type: ignore[arg-type]
    return CustomCodeProcessor(LIMITS).run(node(source), given)


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("return start.data.n * 2", 14),
        ("const a = 2; a * 21", 42),
        (
            "return {a: [1, 'x', null, undefined], b: {c: true}}",
            {"a": [1, "x", None, None], "b": {"c": True}},
        ),
        ("return undefined", None),
        ("undefined", None),
        ("const x = undefined; return x === undefined", True),
        ("return {v: [12345678901234567890n]}", {"v": ["12345678901234567890"]}),
        ("return {d: new Date(0)}", {"d": "1970-01-01T00:00:00.000Z"}),
        ("return new Map([['a', new Map([['b', 1n]])]])", {"a": {"b": "1"}}),
        ("return [new Uint8Array([1, 2]), new Uint8Array([3]).buffer]", [[1, 2], [3]]),
        ("return [() => 1, Promise.resolve(1), Symbol('x')]", [None, None, None]),
        ("return [NaN, Infinity, -Infinity]", [0, 0, 0]),
        ("return start.data.userId", 4),
        ("return Object.keys(start.data)", ["n", "user_id", "list"]),
        ("return {{start.data.list}}.length + {{start.data.n}}", 9),
        ("return 'x{{start.data.n}}'", "x7"),
        ("return [1, 2].map(x => x ** 2)", [1, 4]),
        ("return new Date(2020, 6, 1).toISOString()", "2020-07-01T00:00:00.000Z"),
        (
            "return (() => { try { return nobody } catch (e) { return e.name } })()",
            "ReferenceError",
        ),
        ("let seen = []; Promise.resolve(1).then(x => seen.push(x)); return seen", [1]),
        ("return parseUnit('1.5', 18)", "1500000000000000000"),
        ("return '\\ud83d' + '\\ude00' + '\\ud800'", "😀\ufffd"),
        ("return 'x'.repeat(5e6).length", 5_000_000),
    ],
)
def test_the_value_becomes_the_data(source: str, data: JsonValue) -> None:
    outcome = run(source)
    assert (outcome.error, outcome.data) == (None, data)


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("const _ = require('lodash'); return _.sumBy(start.data.list, 'id')", 3),
        ("import _ from 'lodash'; return _.chunk([1, 2, 3], 2)", [[1, 2], [3]]),
        ("import * as _ from 'lodash'\nreturn _.isEqual({a: 1}, {a: 1})", True),
        ("import { sum, max as most } from 'lodash'\nreturn sum([1, 2]) + most([3])", 6),
        (
            "import dayjs from 'dayjs'; return dayjs(0).add(1, 'day').toISOString()",
            "1970-01-02T00:00:00.000Z",
        ),
        ("import dayjs from 'dayjs'; return dayjs(0).hour()", 0),
        (
            "const {NIL, validate} = require('uuid'); return [NIL, validate(NIL)]",
            ["00000000-0000-0000-0000-000000000000", True],
        ),
        (
            "const u = require('uuid'); return u.v5('a', u.NIL)",
            "35b65f33-a679-5e76-af3c-273ea349ede4",
        ),
        (
            "const u = require('uuid'); return u.v3('a', u.NIL)",
            "0531103a-d8fc-3dd4-b972-d98e4750994e",
        ),
        ("const u = require('uuid'); return u.stringify(u.parse(u.NIL)) === u.NIL", True),
        ("const u = require('uuid'); return u.validate(u.v1()) && u.v4() !== u.v4()", True),
        ("return require('lodash') === require('lodash')", True),
    ],
)
def test_modules(source: str, data: JsonValue) -> None:
    assert run(source).data == data


@pytest.mark.parametrize(
    "name", ["fs", "os", "child_process", "node:fs", "./x", "../modules/lodash", ""]
)
def test_no_other_module(name: str) -> None:
    outcome = run(f"return require({name!r})")
    assert outcome.error is not None
    assert "Cannot find module" in outcome.error.message


def test_random_values_differ_from_run_to_run() -> None:
    source = "return Array.from(crypto.getRandomValues(new Uint8Array(32)))"
    first, second = run(source).data, run(source).data
    assert isinstance(first, list)
    assert len(first) == 32
    assert first != second


def test_random_values_have_a_bound_per_call() -> None:
    assert run("return crypto.getRandomValues(new Uint8Array(65536)).length").data == 65536
    outcome = run("return crypto.getRandomValues(new Uint8Array(65537)).length")
    assert outcome.error is not None
    assert "65536 bytes at most" in outcome.error.message


def test_the_console_becomes_the_log() -> None:
    outcome = run("console.log('hello', 42, {a: 1n}, null, undefined); console.error(Error('e'))")
    assert outcome.log == 'hello 42 {"a":"1"} null undefined\nError: e'


def test_the_log_is_kept_when_the_script_throws() -> None:
    outcome = run("console.log('so far'); throw new Error('it broke')")
    assert outcome.log == "so far"
    assert outcome.error == StepError("INVALID_REQUEST", "Error: it broke (line 1)")
    assert not outcome.has_data


def test_the_log_has_a_bound() -> None:
    outcome = run("for (let i = 0; i < 1e5; i++) console.log('0123456789'); return 1")
    assert outcome.data == 1
    assert 60_000 < len(outcome.log) < 70_000
    assert outcome.log.endswith("left out)")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("throw new TypeError('no good')", "TypeError: no good (line 1)"),
        ("\n\nnull.x; return 1", "TypeError: cannot read property 'x' of null (line 3)"),
        ("\nnobody.x", "ReferenceError: nobody is not defined (line 2)"),
        ("throw 'text'", "text"),
        ("throw {code: 5}", '{"code":5}'),
        ("retrn 1", "SyntaxError: expecting ';' (line 1)"),
        ("return fetch('http://127.0.0.1')", "ReferenceError: fetch is not defined (line 1)"),
        (
            "const o = {}; o.o = o; return o",
            "RangeError: the value is nested deeper than 128 levels, or refers to itself",
        ),
    ],
)
def test_what_it_throws_is_the_steps_error(source: str, message: str) -> None:
    assert run(source).error == StepError("INVALID_REQUEST", message)


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (None, "MISSING_REQUIRED_FIELD", "source is required"),
        ("", "MISSING_REQUIRED_FIELD", "source is required"),
        (" \n", "MISSING_REQUIRED_FIELD", "source is required"),
        (5, "MISSING_REQUIRED_FIELD", "source is required"),
        ("x" * 102_401, "INVALID_NODE_CONFIG", "102400 bytes"),
        (
            "return {{nobody.x}} + '{{start.data.no}}'",
            "INVALID_REQUEST",
            "nobody.x, start.data.no in source",
        ),
    ],
)
def test_a_source_that_can_not_run(source: JsonValue, code: str, message: str) -> None:
    with pytest.raises(NodeError) as caught:
        run(source)
    assert caught.value.stable_code == code
    assert message in caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        "for (;;);",
        "return /(a+)+$/.test('a'.repeat(40) + 'b')",
        "return 'a'.repeat(8e6).indexOf('a'.repeat(4e6) + 'b')",
        "function f() { Promise.resolve().then(f) } f(); return 1",
        "(async () => { for (;;) await null })()",
        "return {toJSON() { for (;;); }}",
        "return new Proxy({}, {ownKeys() { for (;;); }})",
        "return Array(4294967295).includes(1)",
    ],
)
def test_whatever_goes_on_for_ever_is_ended(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(NodeError) as caught:
        run(source)
    assert time.monotonic() - began < 5
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("let a = []; for (;;) a.push('x'.repeat(1e5) + a.length)", "out of memory"),
        ("function f() { return f() + 1 } return f()", "stack overflow"),
    ],
)
def test_memory_and_stack_are_bounded(source: str, words: str) -> None:
    outcome = run(source)
    assert outcome.error is not None
    assert outcome.error.code == "EXECUTION_ENGINE_ERROR"
    assert words in outcome.error.message


def test_the_runs_deadline_counts_too() -> None:
    with pytest.raises(NodeError, match="timeout"):
        run("return 1", deadline=time.monotonic() - 1)
    # Given a script's own limit far away
    patient = Limits(script_timeout_seconds=60)
    began = time.monotonic()
    # When the run's deadline comes first
    given = Scope(VARIABLES, limits=patient, deadline=began + 0.2)
    with pytest.raises(NodeError, match="timeout"):
        CustomCodeProcessor(patient).run(node("for (;;);"), given)
    # Then it is what ended the script
    assert time.monotonic() - began < 30


def test_secrets_are_there_by_name() -> None:
    outcome = run("return apContext.configVars.KEY.length", secrets={"KEY": SecretValue("12345")})
    assert outcome.data == 5


class TestState:
    SOURCE = "state.set('n', (state.get('n') || 0) + 1); return state.get('n')"

    def test_it_lasts(self) -> None:
        state = State(n=4)
        assert run(self.SOURCE, state=state).data == 5
        assert (state.values, state.saves) == ({"n": 5}, 1)

    def test_values_are_json(self) -> None:
        state = State()
        run("const v = {d: new Date(0), b: 1n}; state.set('v', v); v.b = 2; return 1", state=state)
        assert state.values == {"v": {"d": "1970-01-01T00:00:00.000Z", "b": "1"}}

    def test_what_is_read_is_a_copy(self) -> None:
        state = State(v={"x": 1})
        assert run("state.get('v').x = 2; return state.get('v').x", state=state).data == 1

    def test_a_missing_key_is_undefined(self) -> None:
        assert run("return typeof state.get('toString')", state=State()).data == "undefined"

    def test_keys_are_listed_by_prefix_in_order(self) -> None:
        source = "state.set('a2', 1); return [state.list('a'), state.list()]"
        state = State(b=1, a10=1, a1=1)
        assert run(source, state=state).data == [["a1", "a10", "a2"], ["a1", "a10", "a2", "b"]]

    def test_nothing_is_saved_when_the_script_fails(self) -> None:
        state = State()
        assert run("state.set('a', 1); throw new Error('x')", state=state).error is not None
        assert (state.values, state.saves) == ({}, 0)

    def test_secrets_are_masked_in_what_is_saved(self) -> None:
        # Given a script that keeps a secret, and a name and a text made of it
        state, secrets = State(), {"KEY": SecretValue("key-of-the-owner")}
        source = (
            "const k = apContext.configVars.KEY; state.set('k', k); state.set(k, [`a ${k}`]);"
            " return k === state.get('k')"
        )
        # When it has run, with the secret
        assert run(source, state=state, secrets=secrets).data is True
        # Then what outlives it holds none
        assert state.values == {"k": MASK, MASK: [f"a {MASK}"]}

    def test_nothing_is_saved_when_nothing_changed(self) -> None:
        state = State(a=1)
        assert run("return state.get('a')", state=state).data == 1
        assert state.saves == 0

    def test_without_a_store_it_is_scratch(self) -> None:
        assert run(self.SOURCE).data == 1

    def test_a_key_is_a_text(self) -> None:
        outcome = run("state.set('', 1)", state=State())
        assert outcome.error is not None
        assert "key" in outcome.error.message


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("return 1", True),
        ("state.set('a', 1)", False),
        ("globalThis['st' + 'ate'].set('a', 1)", False),
    ],
)
def test_only_scripts_without_state_may_run_again(source: str, safe: bool) -> None:
    assert CustomCodeProcessor(LIMITS).replay_safe(node(source)) is safe


def test_scripts_run_side_by_side() -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda i: run(f"return {i} * start.data.n"), range(40)))
    assert [outcome.data for outcome in outcomes] == [i * 7 for i in range(40)]
