"""The value of one template: a plain path without JavaScript, anything else with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from task_engine.model.json_value import JsonValue
from task_engine.template.failures import ScriptError
from task_engine.template.paths import UNDEFINED, walk
from task_engine.template.pieces import Piece, expression_of, pieces_of
from task_engine.template.scope import Scope
from task_engine.template.values import date_text, to_text
from task_engine.template.visible import visible

_JS_ROOTS = frozenset(
    """true false null undefined this NaN Infinity globalThis Math Number Date JSON Object Array
    String Boolean BigInt""".split()
)
_NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DateValue:
    """A JavaScript Date that an expression gave, as its ISO text."""

    iso: str


Value: TypeAlias = "JsonValue | DateValue"


def evaluate(expression: Piece, scope: Scope) -> Value:
    """The value, UNDEFINED for undefined and null. Raises ScriptError, NodeError for a limit."""
    path = expression.path
    if path is None:
        return _run(expression, scope)
    variables = visible(scope) if expression.secret else scope.variables
    value = walk(path, variables)
    if value is None:
        return UNDEFINED
    if value is UNDEFINED and path[0] in _JS_ROOTS and path[0] not in variables:
        return _run(expression, scope)
    return value


def attempt(expression: Piece, scope: Scope) -> tuple[Value, str]:
    """As `evaluate`, with UNDEFINED and JavaScript's message when the expression itself fails."""
    try:
        return evaluate(expression, scope), ""
    except ScriptError as error:
        return UNDEFINED, error.message


def _run(expression: Piece, scope: Scope) -> Value:
    from task_engine.template.sandbox import Sandbox  # noqa: PLC0415 - plain paths need none of it

    variables = visible(scope) if expression.secret else scope.variables
    found = Sandbox(scope.limits, scope.deadline).evaluate(expression.text, variables)
    if not found.defined:
        return UNDEFINED
    return DateValue(str(found.value)) if found.date else found.value


def secrets_of(expression: Piece, scope: Scope) -> frozenset[str]:
    """Names of the secrets that an expression may give away."""
    if not expression.secret:
        return _NO_NAMES
    named = frozenset(name for name in scope.secrets if name in expression.text)
    return named or frozenset(scope.secrets)


def plain(value: Value) -> JsonValue:
    """A Date as its ISO text, anything else as it is."""
    return value.iso if isinstance(value, DateValue) else value


def text_of(value: Value) -> str:
    """What a template writes for a value."""
    return date_text(value.iso) if isinstance(value, DateValue) else to_text(value)


def lookup(template: str, scope: Scope) -> tuple[bool, JsonValue]:
    """(found, value) of a bare path, or of a text that is one template, with its type kept; null
    is found. Raises NodeError for a JavaScript limit."""
    expression = single_expression(template)
    if expression is None:
        return False, None
    path = expression.path
    if (
        path is not None
        and walk(path, visible(scope) if expression.secret else scope.variables) is None
    ):
        return True, None
    value, _ = attempt(expression, scope)
    return (False, None) if value is UNDEFINED else (True, plain(value))


def single_expression(template: str) -> Piece | None:
    """The expression of a bare path or of `{{…}}`; None for blank texts and for any mixture."""
    text = template.strip()
    if not text:
        return None
    if "{{" not in text:
        return expression_of(text)
    pieces = pieces_of(text)
    return pieces[0] if len(pieces) == 1 and pieces[0].expression else None
