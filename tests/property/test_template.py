"""Laws of templates: for any text and any data."""

from __future__ import annotations

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.model.secret import SecretValue
from task_engine.processors.base import Scope
from task_engine.template.lexer import tokens
from task_engine.template.paths import UNDEFINED, parse_path, walk
from task_engine.template.pieces import pieces_of
from task_engine.template.quick import is_quick
from task_engine.template.redact import Redactor
from task_engine.template.render import lookup, render, render_json_body
from task_engine.template.sandbox import Sandbox
from task_engine.template.script_source import prepare

SOURCES = st.text(alphabet="ab1.$_{}[]()'\"`\\/*+- \n,:;?=<>!\ue000é😀")
SAFE_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | SAFE_INTEGERS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)


@given(SOURCES)
def test_tokens_joined_are_the_source(source: str) -> None:
    assert "".join(token.text for token in tokens(source)) == source


@given(st.text(alphabet="ab{} ."))
def test_pieces_keep_all_text_but_templates(text: str) -> None:
    pieces = pieces_of(text)
    literal = "".join(piece.text for piece in pieces if not piece.expression)
    assert len(literal) <= len(text)
    if "{{" not in text or "}}" not in text:
        assert literal == text


@given(SOURCES)
def test_rendering_never_fails_but_with_a_node_error(text: str) -> None:
    try:
        rendered = render(text, Scope({"a": 1})).text
    except NodeError as error:
        assert error.message  # noqa: PT017 - either outcome is fine
    else:
        assert isinstance(rendered, str)


@given(st.lists(NAMES, min_size=1, max_size=4), VALUES)
def test_a_path_leads_to_the_value(names: list[str], value: JsonValue) -> None:
    variable: JsonValue = value
    for name in reversed(names[1:]):
        variable = {name: variable}
    path = parse_path(".".join(names))
    assert path == tuple(names)
    assert walk(path, {names[0]: variable}) == value


@given(VALUES)
def test_rendered_json_reads_back(value: JsonValue) -> None:
    if value is None or isinstance(value, str):
        return
    assert json.loads(render("{{x}}", Scope({"x": value})).text) == value


@given(VALUES)
def test_a_json_body_stays_json(value: JsonValue) -> None:
    if value is None:
        return
    scope = Scope({"x": value})
    body = json.loads(render_json_body('{"a": "<{{x}}>"}', scope).text)
    assert body == {"a": f"<{render('{{x}}', scope).text}>"}


@settings(max_examples=40)
@given(VALUES)
def test_values_pass_through_javascript_unchanged(value: JsonValue) -> None:
    found = Sandbox(Scope({}).limits).evaluate("[x]", {"x": value})
    assert found.value == [value]


@settings(max_examples=40)
@given(st.text(), st.sampled_from(["'{}'", '"{}"', "`{}`", "{}"]))
def test_texts_are_values_in_any_quotes(text: str, quotes: str) -> None:
    script = prepare("[" + quotes.format("{{x}}") + "]", Scope({"x": text}))
    assert Sandbox(Scope({}).limits).evaluate(script.source, script.values).value == [text]


@given(SOURCES)
def test_deciding_never_fails(source: str) -> None:
    assert is_quick(source) in (True, False)


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_never_left_in_a_text(secret: str, before: str, after: str) -> None:
    redactor = Redactor({"S": SecretValue(secret)})
    for text in (secret, json.dumps(secret)[1:-1]):
        masked = redactor.text(before + text + after)
        assert text not in masked or text in "[secret]"


@given(VALUES, st.text(min_size=4, max_size=20))
def test_a_value_without_the_secret_is_kept(value: JsonValue, secret: str) -> None:
    unlike = f"§{secret}§"
    assume(unlike not in json.dumps(value, ensure_ascii=False))
    assert Redactor({"S": SecretValue(unlike)}).json(value) == value


def test_a_missing_path_is_undefined() -> None:
    assert walk(("a", "b"), {"a": {}}) is UNDEFINED
    assert lookup("a.b", Scope({"a": {}})) == (False, None)
