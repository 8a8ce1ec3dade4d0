"""How a source is made ready: values instead of templates, requires instead of imports."""

from __future__ import annotations

import pytest
from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope
from task_engine.template.missing import MissingVariables
from task_engine.template.sandbox import Sandbox
from task_engine.template.script_source import prepare

NASTY = 'it\'s "q" `b` ${x} \\ \n end'
SCOPE = Scope({"start": {"data": {"n": 5, "list": [1, 2], "text": NASTY, "no": None}}})


def run(source: str) -> JsonValue:
    script = prepare(source, SCOPE)
    variables: dict[str, JsonValue] = {**SCOPE.variables, **script.values}
    return Sandbox(SCOPE.limits).run_function_body(script.source, variables, limit_seconds=5)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("return {{start.data.list}}.length", 2),
        ("return {{start.data.n}} + {{start.data.n + 1}}", 11),
        ("return {{start.data.text}}", NASTY),
        ("return '{{start.data.text}}'", NASTY),
        ('return "{{start.data.text}}"', NASTY),
        ("return `{{start.data.text}}`", NASTY),
        ("return `a${`b{{start.data.n}}`}c{{start.data.n}}`", "ab5c5"),
        ("return 'it\\'s `{{start.data.n}}` ${no}'", "it's `5` ${no}"),
        ("return 'n{{start.data.n}}'.length", 2),
        ("return '{{start.data.list}}'", "[1,2]"),
        ("return {'{{start.data.n}}': 1, \"k{{start.data.n}}\": 2}", {"5": 1, "k5": 2}),
        ("return true ? '{{start.data.n}}' : 'x'", "5"),
        ("return 4 / 2 /* {{nobody.x}} */ // {{nobody.y}}", 2),
        ("return /{{2}}/.source", "{{2}}"),
        ("return {{new Date(0)}} instanceof Date", True),
        ("return {{start.data.list.map(x => x * 2)}}", [2, 4]),
        ("const x = {{start.data.n}}\nreturn x", 5),
    ],
)
def test_templates_are_values_where_they_stand(source: str, value: JsonValue) -> None:
    assert run(source) == value


def test_what_data_holds_is_never_run() -> None:
    scope = Scope({"x": {"t": "'; throw new Error('run'); '"}})
    for source in ("return {{x.t}}", "return '{{x.t}}'", "return `{{x.t}}`"):
        script = prepare(source, scope)
        value = Sandbox(scope.limits).run_function_body(
            script.source, script.values, limit_seconds=5
        )
        assert value == "'; throw new Error('run'); '"


def test_all_missing_templates_are_named() -> None:
    with pytest.raises(MissingVariables) as caught:
        prepare("return {{start.data.no}} + '{{nobody.x}}'", SCOPE)
    assert "start.data.no" in caught.value.message
    assert "nobody.x" in caught.value.message
    assert "in source" in caught.value.message


def test_a_lenient_script_reads_undefined() -> None:
    script = prepare("[typeof {{nobody.x}}, '{{nobody.x}}']", SCOPE, lenient=True)
    value = Sandbox(SCOPE.limits).evaluate(script.source, script.values).value
    assert value == ["undefined", "undefined"]


def test_templates_of_inner_names_become_code() -> None:
    script = prepare("{{value.v}} > {{start.data.n}}", SCOPE, inner=frozenset(["value"]))
    found = Sandbox(SCOPE.limits).evaluate(script.source, {**script.values, "value": {"v": 6}})
    assert found.value is True


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("import d from 'dayjs';", 'const d = __default(require("dayjs"));'),
        ('import * as _ from "lodash"', 'const _ = require("lodash");'),
        ("import {v4, v5 as five} from 'uuid'", 'const {v4, v5: five} = require("uuid");'),
        (
            "import d, {a as b} from 'x';",
            'const d = __default(require("x")); const {a: b} = require("x");',
        ),
        ("import 'x'", 'require("x");'),
        ("import{\n  a,\n  b as c\n}from'x'", 'const {\n  a,\n  b: c\n} = require("x");'),
    ],
)
def test_imports_become_requires(source: str, made: str) -> None:
    assert prepare(source, SCOPE).source == made


@pytest.mark.parametrize(
    "source", ["'import x from \"y\"'", "// import x from 'y'", "`import x from 'y'`"]
)
def test_what_only_looks_like_an_import_is_left_alone(source: str) -> None:
    assert prepare(source, SCOPE).source == source


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("return 1", True),
        ("require('lodash')", True),
        ("import x from 'y'", True),
        ("1 + 1", False),
        ("'return'", False),
        ("// return", False),
        ("const returned = 1; returned", False),
    ],
)
def test_a_body_is_known_by_its_words(source: str, body: bool) -> None:
    assert prepare(source, SCOPE).body is body
