"""What a template writes."""

from __future__ import annotations

import json

import pytest
from task_engine.config import Limits
from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import SecretValue
from task_engine.processors.base import Scope
from task_engine.template.render import (
    MissingVariables,
    lookup,
    render,
    render_fields,
    render_json_body,
    render_value,
)

VARIABLES: dict[str, JsonValue] = {
    "node": {
        "data": {
            "field": [{"x": 7, "user_id": "u1", "HTTPRequest": {"a": 1}}, {"x": 8}],
            "text": 'q"\n',
            "nothing": None,
            "yes": True,
            "list": [1, "a", None],
            "big": 123456789012345678901234567890,
            "half": 0.5,
            "tiny": 1e-7,
            "huge": 1e21,
            "whole": 5.0,
            "headers": {"x-token": "T", "has space": "s"},
            "emoji": "😀",
        }
    },
    "settings": {"id": 8, "runner": "0x1"},
    "limit": 3,
}
SCOPE = Scope(VARIABLES, {"KEY": SecretValue("k-value"), "OTHER": SecretValue("o-value")})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ node.data.field[0].x }}", "7"),
        ("a{{limit}}b{{limit}}c", "a3b3c"),
        ("{{node.data.field.0.x}}", "7"),
        ("{{node.data.field[0].userId}}", "u1"),
        ("{{node.data.field[0].http_request}}", '{"a":1}'),
        ("{{node.data.headers.x-token}}", "T"),
        ("{{node.data.headers['has space']}}", "s"),
        ("{{node?.data?.yes}}", "true"),
        ("{{node.data.list}}", '[1,"a",null]'),
        ("{{node.data.list.length}}", "3"),
        ("{{node.data.emoji.length}}", "2"),
        ("{{node.data.big}}", "123456789012345678901234567890"),
        ("{{node.data.half}} {{node.data.tiny}}", "0.5 0.0000001"),
        ("{{node.data.huge}} {{node.data.whole}}", "1000000000000000000000 5"),
        ("{{node.data.text}}", 'q"\n'),
        ("{{Math.PI}}", "3.141592653589793"),
        ("{{true}}", "true"),
        ("{{typeof nobody}}", "undefined"),
    ],
)
def test_values_become_text(template: str, text: str) -> None:
    assert render(template, SCOPE).text == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{limit + 1}}", "4"),
        ("{{limit > 2 ? 'many' : 'few'}}", "many"),
        ("{{node.data.field.find(f => f.x === settings.id).x}}", "8"),
        ("{{node.data.field.map(f => f.userId).length}}", "2"),
        ("{{node.data.field[0].userId + '!'}}", "u1!"),
        ("{{ {a: limit} }}", '{"a":3}'),
        ("{{JSON.stringify({a: {b: 1}})}}", '{"a":{"b":1}}'),
        ("{{[1, 2].map(x => { return {v: x}})}}", '[{"v":1},{"v":2}]'),
        ("{{new Date(0)}}", "1970-01-01 00:00:00.000 +0000 UTC"),
        ("{{BigInt('12345678901234567890') * 10n}}", "123456789012345678900"),
        ("{{bigGt('10', 9)}} {{bigLt('10', 9)}} {{bigCmp('9', 9n)}}", "true false 0"),
        ("{{parseUnit('2621.99', 8)}}", "262199000000"),
        ("{{toBigInt('0x10') + 1n}}", "17"),
        ("{{node.data.emoji}}{{`${limit}`}}", "😀3"),
        ("{{limit * undefined}}", "NaN"),
    ],
)
def test_expressions_are_javascript(template: str, text: str) -> None:
    assert render(template, SCOPE).text == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{a", "{{a"),
        ("a}} {{", "a}} {{"),
        ("{{}}x{{ }}", "x"),
        ("{{a{{b}}}}x", "x"),
        ("{{lone and {{limit}}", "{{lone and 3"),
        ("{ {limit} }", "{ {limit} }"),
    ],
)
def test_braces_that_are_no_template(template: str, text: str) -> None:
    assert render(template, SCOPE).text == text


def test_after_a_hundred_substitutions_the_rest_is_left() -> None:
    assert render("{{limit}}" * 102, SCOPE).text == "3" * 100 + "{{limit}}{{limit}}"


@pytest.mark.parametrize(
    "template",
    [
        "{{nobody.data}}",
        "{{node.data.nothing}}",
        "{{node.data.field[9]}}",
        "{{my-node.data}}",
        "{{node.data.nope.deeper}}",
        "{{null}}",
        "{{undefined}}",
        "{{node.data.nope.deeper + 1}}",
        "{{1 +}}",
        "{{() => 1}}",
        "{{parseUnit('1.23', 1)}}",
        "{{parseUnit('-1', 1)}}",
        "{{parseUnit('1', 79)}}",
    ],
)
def test_what_has_no_value_is_missing(template: str) -> None:
    with pytest.raises(MissingVariables) as caught:
        render(template, SCOPE, "url")
    assert template[2:-2] in caught.value.message
    assert "in url" in caught.value.message
    assert caught.value.stable_code == "INVALID_REQUEST"


def test_all_missing_variables_are_named_with_advice() -> None:
    with pytest.raises(MissingVariables) as caught:
        render("{{one.data.x}} {{two.y}} {{one.data.x}} {{settings.z}}", SCOPE, "body")
    assert caught.value.message == (
        "could not resolve variables one.data.x, two.y, settings.z in body; "
        "run nodes one, two first"
    )


@pytest.mark.parametrize("root", ["settings", "context", "apContext", "trigger", "secrets", "env"])
def test_no_advice_for_system_variables(root: str) -> None:
    with pytest.raises(MissingVariables) as caught:
        render(f"{{{{{root}.nope}}}}", SCOPE)
    assert "run node" not in caught.value.message


def test_a_syntax_error_is_told() -> None:
    with pytest.raises(MissingVariables, match="SyntaxError"):
        render("{{limit +}}", SCOPE)


def test_a_literal_undefined_is_text() -> None:
    assert render("undefined {{limit}}", SCOPE).text == "undefined 3"


def test_fields_report_what_is_missing_in_any_of_them() -> None:
    with pytest.raises(MissingVariables) as caught:
        render_fields({"url": "{{a.x}}", "query": "{{limit}}", "body": "{{b.y}}"}, SCOPE)
    assert "a.x in url" in caught.value.message
    assert "b.y in body" in caught.value.message
    assert len(caught.value.missing) == 2


def test_fields_without_a_problem_are_rendered() -> None:
    rendered = render_fields({"url": "x{{limit}}", "body": ""}, SCOPE)
    assert {name: field.text for name, field in rendered.items()} == {"url": "x3", "body": ""}


class TestSecrets:
    def test_a_secret_is_rendered_and_taints(self) -> None:
        rendered = render("Bearer {{apContext.configVars.KEY}}", SCOPE)
        assert rendered.text == "Bearer k-value"
        assert rendered.tainted
        assert rendered.secrets_used == {"KEY"}

    def test_one_inside_an_expression_taints(self) -> None:
        rendered = render("{{apContext.configVars.KEY.toUpperCase()}}", SCOPE)
        assert rendered.text == "K-VALUE"
        assert rendered.secrets_used == {"KEY"}

    def test_all_of_them_may_be_in_what_names_none(self) -> None:
        assert render("{{apContext.configVars}}", SCOPE).secrets_used == {"KEY", "OTHER"}

    def test_other_text_is_not_tainted(self) -> None:
        assert not render("{{limit}}", SCOPE).tainted

    def test_an_unknown_one_is_missing(self) -> None:
        with pytest.raises(MissingVariables, match=r"apContext\.configVars\.NOPE"):
            render("{{apContext.configVars.NOPE}}", SCOPE)


class TestJsonBodies:
    def test_what_is_put_in_is_escaped(self) -> None:
        body = '{"a": "{{node.data.text}}", "b": "{{node.data.list}}", "c": "{{limit}}"}'
        assert json.loads(render_json_body(body, SCOPE).text) == {
            "a": 'q"\n',
            "b": '[1,"a",null]',
            "c": "3",
        }

    def test_an_expression_may_hold_escaped_quotes(self) -> None:
        body = '{"a": "{{node.data.headers[\\"x-token\\"]}}"}'
        assert json.loads(render_json_body(body, SCOPE).text) == {"a": "T"}

    def test_keys_are_bridged_here_too(self) -> None:
        body = '{"a": "{{node.data.field[0].userId}}"}'
        assert json.loads(render_json_body(body, SCOPE).text) == {"a": "u1"}


class TestLookup:
    @pytest.mark.parametrize(
        "template", ["node.data.list", "{{node.data.list}}", " {{ node.data.list }} "]
    )
    def test_the_type_is_kept(self, template: str) -> None:
        assert lookup(template, SCOPE) == (True, [1, "a", None])

    def test_expressions_keep_their_type(self) -> None:
        assert lookup("{{node.data.list.slice(0, 2)}}", SCOPE) == (True, [1, "a"])

    def test_null_is_found(self) -> None:
        assert lookup("node.data.nothing", SCOPE) == (True, None)

    @pytest.mark.parametrize(
        "template", ["nobody", "{{nobody.x}}", "", "{{limit}}{{limit}}", "{{1 +}}"]
    )
    def test_nothing_is_not_found(self, template: str) -> None:
        assert lookup(template, SCOPE) == (False, None)

    def test_a_value_keeps_its_type_on_demand(self) -> None:
        assert render_value("{{node.data.list}}", SCOPE) == [1, "a", None]
        assert render_value("{{limit}}!", SCOPE) == "3!"
        assert render_value("plain", SCOPE) == "plain"
        with pytest.raises(MissingVariables):
            render_value("{{nobody.x}}", SCOPE)


def test_the_clock_is_a_variable() -> None:
    assert int(render("{{date.now}}", SCOPE).text) > 1_600_000_000_000
    assert render("{{date.now_iso}}", SCOPE).text.endswith("Z")
    assert render("{{date.now}}", Scope({"date": {"now": "mine"}})).text == "mine"


def test_a_template_may_not_be_too_long() -> None:
    scope = Scope(VARIABLES, limits=Limits(max_template_bytes=300))
    with pytest.raises(NodeError, match="url has templates") as caught:
        render("{{limit}}" + "x" * 300, scope, "url")
    assert caught.value.stable_code == "INVALID_NODE_CONFIG"
    assert render("x" * 400, scope, "url").text == "x" * 400


def test_limits_of_javascript_are_not_missing_variables() -> None:
    scope = Scope(VARIABLES, limits=Limits(template_timeout_ms=100))
    with pytest.raises(NodeError, match="timeout") as caught:
        render("{{(() => { for (;;); })()}}", scope)
    assert caught.value.stable_code == "EXECUTION_ENGINE_ERROR"


def test_a_deadline_that_has_passed_is_a_timeout() -> None:
    with pytest.raises(NodeError, match="timeout"):
        render("{{limit + 1}}", Scope(VARIABLES, deadline=0.0))
