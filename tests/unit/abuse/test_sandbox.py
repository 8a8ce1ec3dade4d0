"""Scripts that try to get out, to stay behind, or to take all there is; wherever scripts run."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.processors.base import Scope
from task_engine.processors.branch import BranchProcessor
from task_engine.processors.custom_code import CustomCodeProcessor
from task_engine.processors.filter import FilterProcessor
from task_engine.template.render import render

LIMITS = Limits(
    script_timeout_seconds=1, template_timeout_ms=300, script_memory_bytes=32 * 1024 * 1024
)
VARIABLES: dict[str, JsonValue] = {"start": {"data": {"n": 5, "list": [1, 2, 3]}}}
Run = Callable[[str], object]


def scope() -> Scope:
    return Scope(VARIABLES, limits=LIMITS)


def as_code(expression: str) -> object:
    """The expression's value in a custom code node."""
    config = {"lang": "javascript", "source": f"return ({expression})"}
    node = PlanNode("n", "n", NodeType.CUSTOM_CODE, config, 1)
    return _data(CustomCodeProcessor(LIMITS).run(node, scope()))


def as_template(expression: str) -> object:
    """The expression's value in a template, as text."""
    return render("{{" + expression + "}}", scope()).text


def as_condition(expression: str) -> object:
    """Whether the expression is true, as a branch sees it."""
    conditions: list[JsonValue] = [
        {"id": "a", "type": "if", "expression": "{{" + expression + "}}"},
        {"id": "b", "type": "else", "expression": ""},
    ]
    node = PlanNode("n", "n", NodeType.BRANCH, {"conditions": conditions}, 1)
    return _data(BranchProcessor(LIMITS).run(node, scope()))


def as_filter(expression: str) -> object:
    """The elements for which the expression is true."""
    config: dict[str, JsonValue] = {
        "inputVariable": "{{start.data.list}}",
        "expression": f"value && ({expression})",
    }
    node = PlanNode("n", "n", NodeType.FILTER, config, 1)
    return _data(FilterProcessor(LIMITS).run(node, scope()))


def _data(outcome: Outcome) -> object:
    if outcome.error is not None:
        raise NodeError(outcome.error.message, code=outcome.error.code)
    return outcome.data


PLACES: dict[str, Run] = {
    "code": as_code,
    "template": as_template,
    "condition": as_condition,
    "filter": as_filter,
}


def _children() -> set[str]:
    """Of this process, those of other fixtures included; ended ones that nobody took too."""
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


@pytest.fixture(autouse=True)
def the_worker_lives_on() -> Iterator[None]:
    """Whatever ran, the process has no child, no more open files, and goes on working."""
    files, children = len(os.listdir("/proc/self/fd")), _children()
    yield
    assert _children() <= children
    assert len(os.listdir("/proc/self/fd")) <= files
    assert as_code("start.data.n + 1") == 6
    assert as_template("start.data.n + 1") == "6"


LOOPS = {
    "an endless loop": "(() => { for (;;); })()",
    "one that catches": "(() => { for (;;) { try { throw 1 } catch (e) { continue } } })()",
    "one that ends in itself": "(() => { try { for (;;); } finally { for (;;); } })()",
    "a label": "(() => { a: for (;;) continue a })()",
    "a pattern": "/^(a+)+$/.test('a'.repeat(40) + '!')",
    "a pattern with references": r"/^(a|b|ab)*(?=\1)c/.test('ab'.repeat(40))",
    "a pattern that looks back": "/(?<=(a+)+)b/.test('a'.repeat(40))",
    "a replacement": "'a'.repeat(30).replace(/(a*)*b/, '')",
    "an iterator": "[...{*[Symbol.iterator]() { for (;;) yield; }}]",
    "an entangled generator": "(function* f() { yield* f() })().next().value",
    "a proxy's keys": "Object.keys(new Proxy({}, {ownKeys() { for (;;); }}))",
    "a proxy behind proxies": "(() => { let p = {}; for (;;) p = new Proxy(p, {}); })()",
    "a getter": "({get x() { for (;;); }}).x",
    "a conversion": "`${{[Symbol.toPrimitive]() { for (;;); }}}`",
    "a sort": "[3, 2, 1].sort(() => { for (;;); })",
    "a long sort": "Array.from({length: 1e5}, Math.random).sort(() => Math.random() - 0.5).sort("
    "(a, b) => { for (let i = 0; i < 1e6; i++); return a - b })",
    "a walk over a hole": "Array(4294967295).some(x => 1)",
    "a search": "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
    "a big power": "2n ** (2n ** 24n) % 7n",
    "a tower of powers": "7n ** 7n ** 8n % 3n",
    "a big product": "(() => { let x = 3n; for (;;) x *= x })()",
    "a big shift": "(1n << 200000000n).toString().length",
    "a long number's text": "(10n ** 2000000n).toString().length",
    "a wait": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "a class that makes itself": "new (class A { constructor() { new A(); for (;;); } })",
    "a setter": "(() => { const o = {set x(v) { for (;;); }}; o.x = 1 })()",
    "a reviver": "JSON.parse('[1,2]', () => { for (;;); })",
    "a replacer": "JSON.stringify([1], () => { for (;;); })",
}
SWELLING = {
    "a long text": "'a'.repeat(2 ** 29).length",
    "a padded text": "'a'.padStart(2 ** 29).length",
    "texts in texts": "Array(30).fill().reduce(a => a + a + [a], 'xxxxxxxxx').length",
    "a list": "(() => { const a = []; for (;;) a.push(new Array(1000).fill(a.length)) })()",
    "a full array": "new Array(1e8).fill(7).length",
    "a buffer": "new ArrayBuffer(2 ** 33).byteLength",
    "many buffers": "Array.from({length: 1000}, () => new ArrayBuffer(2 ** 24)).length",
    "joined holes": "Array(2 ** 28).join('xxxxxxxx').length",
    "a replaced text": "'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e4)).length",
    "a grown map": "(() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, {i}) })()",
    "closures": "(() => { let f = x => x; for (;;) { const g = f; f = x => g(x) } })()",
    "symbols": "(() => { const a = []; for (;;) a.push(Symbol('x'.repeat(1000) + a.length)) })()",
    "a large answer": "'x'.repeat(30e6)",
    "an answer of lists": "Array.from({length: 2e6}, (_, i) => [i])",
    "a conversion that grows": "({toJSON() { return 'x'.repeat(2 ** 28) }})",
}
DEEP = {
    "calls": "(function f() { return f() + 1 })()",
    "calls of bound functions": "(() => { let f = () => 1; for (let i = 0; i < 1e5; i++) "
    "f = f.bind(null); return f() })()",
    "nested lists": "JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))",
    "a nested answer": "(() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a })()",
    "a nested pattern": "new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('')",
    "nested code": "eval('('.repeat(1e5) + '1' + ')'.repeat(1e5))",
    "nested functions": "new Function('return ' + '(() => '.repeat(1e4) + '1' + ')'.repeat(1e4))()",
    "a cycle": "(() => { const o = {}; o.o = o; return o })()",
    "a proxy of itself": "(() => { const h = {}; const p = new Proxy({}, h); h.get = (t, k) => "
    "p[k]; return p.x })()",
    "a conversion": "(() => { const o = {toString() { return '' + o }}; return '' + o })()",
}
HAZARDS = {**LOOPS, **SWELLING, **DEEP}


@pytest.mark.parametrize("place", ["code", "condition"])
@pytest.mark.parametrize("hazard", HAZARDS)
def test_every_hazard_ends_soon(hazard: str, place: str) -> None:
    # Given what the machine's memory looked like before
    began = time.monotonic()
    # When it runs
    try:
        PLACES[place](HAZARDS[hazard])
    except NodeError as error:
        # Then it fails for a reason that can be told
        assert error.stable_code in ("EXECUTION_ENGINE_ERROR", "INVALID_REQUEST")  # noqa: PT017
        assert 0 < len(error.message) < 1000  # noqa: PT017
    # And ends within its limit, and without having taken all there is
    assert time.monotonic() - began < 4
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2_000_000


@pytest.mark.parametrize("place", ["template", "filter"])
@pytest.mark.parametrize(
    "hazard",
    ["an endless loop", "one that catches", "one that ends in itself", "a label", "a pattern",
     "a proxy's keys", "a getter", "a sort"],
)  # fmt: skip
def test_loops_end_in_templates_and_filters_too(hazard: str, place: str) -> None:
    began = time.monotonic()
    with pytest.raises(NodeError):
        PLACES[place](HAZARDS[hazard])
    assert time.monotonic() - began < 4


PENDING = {
    "a promise that is never kept": "return new Promise(() => {})",
    "one that waits for itself": "let p; p = new Promise(r => setTimeout(r)); return p",
    "promises without end": "const f = () => Promise.resolve().then(f); return f()",
    "more promises each time": "const f = () => { Promise.resolve().then(f).then(f) }; f(); "
    "return 1",
    "an async loop": "return (async () => { for (;;) await null })()",
    "an async generator": "return (async () => { for await (const x of (async function* () "
    "{ for (;;) yield 1 })()); })()",
    "a thenable that goes on": "return {then(r) { r(this) }}",
    "an answer that is a loop": "return Promise.resolve({toJSON() { for (;;); }})",
    "a job that loops": "Promise.resolve().then(() => { for (;;); }); return 1",
    "a rejection": "return Promise.reject(new Error('no'))",
    "a rejection of nothing": "throw undefined",
    "a rejection with a trap": "throw {get message() { for (;;); }}",
    "a rejection of a proxy": "throw new Proxy({}, {get() { throw 1 }})",
    "a long message": "throw new Error('x'.repeat(5e6))",
    "a log without end": "for (;;) console.log('x'.repeat(1e4))",
    "a state without end": "for (let i = 0; ; i++) state.set('k' + i, 'x'.repeat(1e4))",
    "a huge state": "state.set('k', 'x'.repeat(20e6)); return 1",
    "random bytes": "return crypto.randomUUID ? Array.from({length: 1e6}, () => "
    "crypto.randomUUID()).length : 0",
}


@pytest.mark.parametrize("case", PENDING)
def test_what_custom_code_leaves_pending_ends_with_it(case: str) -> None:
    began = time.monotonic()
    config: dict[str, JsonValue] = {"lang": "javascript", "source": PENDING[case]}
    node = PlanNode("n", "n", NodeType.CUSTOM_CODE, config, 1)
    try:
        outcome = CustomCodeProcessor(LIMITS).run(node, scope())
    except NodeError as error:
        assert 0 < len(error.message) < 10_000  # noqa: PT017
    else:
        assert len(outcome.log) < 2_000_000
    assert time.monotonic() - began < 4


WAYS_OUT = {
    "the list's maker": "[].constructor.constructor('return typeof process')()",
    "the text's maker": "''.sub.constructor('return typeof module')()",
    "the number's maker": "(5).constructor.constructor('return typeof std')()",
    "an async function's maker": "(async () => {}).constructor('return 1')() instanceof Promise "
    "&& typeof os",
    "a generator's maker": "(function* () {}).constructor('yield typeof os')().next().value",
    "the global object": "typeof (function () { return this })().process",
    "an indirect eval": "typeof (0, eval)('this').Deno",
    "a variable's maker": "start.constructor.constructor('return typeof process')()",
    "a variable's prototype": "typeof start.__proto__.constructor.constructor('return this')()"
    ".scriptArgs",
    "an error's trace": "(() => { Error.prepareStackTrace = (e, s) => s; const s = new Error()"
    ".stack; return typeof [...s].map(f => f.getFunction?.()?.constructor('return process'))"
    ".find(f => { try { return f?.() } catch (e) { return false } }) })()",
    "the path of the code": "/[\\/]\\w+[\\/]/.test(new Error().stack) ? 'a path' : 'undefined'",
    "a caller": "(function f() { try { return typeof f.caller } catch (e) { return 'undefined' } "
    "})().replace('object', 'undefined')",
    "the engine's loader": "typeof globalThis.loadScript + typeof globalThis.print === "
    "'undefinedundefined' ? 'undefined' : 'something'",
    "python": "typeof __import__",
    "a worker": "typeof Worker",
    "web assembly": "typeof WebAssembly",
    "a request": "typeof fetch",
    "a timer": "typeof setTimeout",
    "the environment": "typeof env",
}


@pytest.mark.parametrize("place", ["code", "template"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_there_is_nothing_outside(way: str, place: str) -> None:
    assert PLACES[place](WAYS_OUT[way]) == "undefined"


def test_what_is_global_is_the_languages_own_and_the_variables() -> None:
    # Given the globals of a script, without those that ECMAScript names
    names = as_code("Object.getOwnPropertyNames(globalThis).filter(n => /^[a-z_]/.test(n))")
    assert isinstance(names, list)
    language = set(
        """globalThis undefined parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent
        encodeURI encodeURIComponent escape unescape eval queueMicrotask performance atob
        btoa""".split()
    )
    # Then what remains is the task's, or of the documented four
    ours = set(names) - language
    assert {n for n in ours if not n.startswith("__")} <= {
        "start", "apContext", "state", "console", "crypto", "require",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["fs", "os", "std", "child_process", "../script", "/etc/passwd", "lodash/../../x",
     "__proto__", "constructor", "hasOwnProperty", "toString", "", "lodash\\0", "http"],
)  # fmt: skip
def test_no_other_module_can_be_required(name: str) -> None:
    with pytest.raises(NodeError) as caught:
        as_code(f"require('{name}')")
    assert caught.value.stable_code in ("INVALID_REQUEST", "INVALID_NODE_CONFIG")


def test_a_module_can_not_be_imported_later() -> None:
    for name in ("os", "std", "fs", "file:///etc/passwd", "./script.js"):
        source = (
            f"(() => {{ let m = 'none'; import('{name}').then(x => {{ m = x }}); return m }})()"
        )
        assert as_code(source) == "none"


POLLUTION = [
    "Object.prototype.polluted = 1",
    "Array.prototype.map = () => 'polluted'",
    "start.__proto__.polluted = 1",
    "JSON.stringify = () => '\"polluted\"'",
    "JSON.parse = () => 'polluted'",
    "Function.prototype.call = () => 'polluted'",
    "Object.prototype.toJSON = () => 'polluted'",
    "globalThis.start = 'polluted'",
    "globalThis.eval = () => 'polluted'",
    "Object.defineProperty(Object.prototype, 'data', {get: () => 'polluted'})",
    "Symbol.iterator.constructor.prototype.polluted = 1",
    "Promise.prototype.then = () => 'polluted'",
]


@pytest.mark.parametrize("place", ["code", "template", "condition", "filter"])
@pytest.mark.parametrize("source", POLLUTION)
def test_nothing_is_left_behind(source: str, place: str) -> None:
    # Given a script that changes what all scripts use
    try:
        PLACES[place](f"(() => {{ {source}; return 1 }})()")
    except NodeError as error:
        assert error.message  # noqa: PT017
    # When the next one runs, then it sees none of it
    seen = "[[1].map(x => x)[0], typeof ({}).polluted, start.data.n, JSON.parse('2')]"
    assert as_code(seen) == [1, "undefined", 5, 2]
    assert as_template("start.data.list.map(x => x + 1).length") == "3"
    assert VARIABLES == {"start": {"data": {"n": 5, "list": [1, 2, 3]}}}


def test_names_of_objects_in_data_make_no_prototype() -> None:
    data: JsonValue = {"__proto__": {"admin": True}, "constructor": {"prototype": {"x": 1}}}
    config: dict[str, JsonValue] = {
        "lang": "javascript",
        "source": "const c = Object.assign({}, given); return [given.admin === true, ({}).admin "
        "=== undefined, ({}).x === undefined]",
    }
    node = PlanNode("n", "n", NodeType.CUSTOM_CODE, config, 1)
    outcome = CustomCodeProcessor(LIMITS).run(node, Scope({"given": data}, limits=LIMITS))
    assert outcome.data == [False, True, True]


def test_scripts_do_not_see_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given credentials in the environment of the function
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-the-environment")
    # When a script shows all it can reach
    everything = (
        "(() => { const seen = new Set(), out = []; const walk = (o, d) => { if (d > 6 || o === "
        "null || (typeof o !== 'object' && typeof o !== 'function') || seen.has(o)) { "
        "if (typeof o === 'string') out.push(o); return } seen.add(o); for (const k of "
        "Reflect.ownKeys(o)) { out.push(String(k)); try { walk(o[k], d + 1) } catch (e) {} } "
        "walk(Object.getPrototypeOf(o), d + 1) }; walk(globalThis, 0); return out.join() })()"
    )
    shown = str(as_code(everything))
    # Then the environment is not among it
    assert "Reflect" in shown
    assert "canary" not in shown
    assert "AWS_" not in shown
    assert str(Path.cwd()) not in shown
