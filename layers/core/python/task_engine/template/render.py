"""The renderer: texts with `{{…}}` in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.template.evaluate import attempt, lookup, secrets_of, text_of
from task_engine.template.missing import Missing, MissingVariables, joined
from task_engine.template.paths import UNDEFINED
from task_engine.template.pieces import Piece, expression_of, pieces_of
from task_engine.template.scope import Scope

_SURELY_SMALL = 256
_NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered text; `tainted` when a part of it came from a secret, `secrets_used` which."""

    text: str
    tainted: bool = False
    secrets_used: frozenset[str] = _NO_NAMES


def render(text: str, scope: Scope, field: str = "") -> Rendered:
    """`text` with every template replaced by its value; `field` names the text in errors.

    Raises MissingVariables for all templates that are undefined or null, NodeError
    EXECUTION_ENGINE_ERROR for a JavaScript limit, INVALID_NODE_CONFIG for a text too long.
    """
    if "{{" not in text or "}}" not in text:
        return Rendered(text)
    return _render(text, scope, field, json_mode=False)


def render_json_body(text: str, scope: Scope, field: str = "body") -> Rendered:
    """As `render`, for a JSON document with its templates inside strings: what is put in is
    escaped for a JSON string, so lists and objects arrive as texts (RFC 8259 7)."""
    if "{{" not in text or "}}" not in text:
        return Rendered(text)
    return _render(text, scope, field, json_mode=True)


def render_fields(fields: Mapping[str, str], scope: Scope) -> dict[str, Rendered]:
    """Every text rendered; raises MissingVariables for what is missing in any of them."""
    rendered: dict[str, Rendered] = {}
    problems: list[MissingVariables] = []
    for field, text in fields.items():
        try:
            rendered[field] = render(text, scope, field)
        except MissingVariables as error:
            problems.append(error)
    if problems:
        raise joined(problems)
    return rendered


def render_value(text: str, scope: Scope, field: str = "") -> JsonValue:
    """A text that is one template becomes its value with the type kept; any other is rendered."""
    pieces = pieces_of(text) if "{{" in text else ()
    if len(pieces) != 1 or not pieces[0].expression:
        return render(text, scope, field).text
    found, value = lookup(text, scope)
    if not found:
        raise MissingVariables((Missing(pieces[0].text, pieces[0].root),), field)
    return value


def require_template_size(text: str, limit: int, field: str) -> None:
    """Raises NodeError INVALID_NODE_CONFIG for a templated text of more than `limit` bytes."""
    if len(text) > limit or (
        len(text) > limit // 4 and len(text.encode("utf-8", "replace")) > limit
    ):
        raise NodeError(
            f"{field or 'the text'} has templates and more than {limit // 1024} KiB",
            code="INVALID_NODE_CONFIG",
        )


def _render(text: str, scope: Scope, field: str, json_mode: bool) -> Rendered:
    if len(text) > _SURELY_SMALL:
        require_template_size(text, scope.limits.max_template_bytes, field)
    parts: list[str] = []
    missing: list[Missing] = []
    used = _NO_NAMES
    for piece in pieces_of(text):
        if not piece.expression:
            parts.append(piece.text)
            continue
        expression = _unescaped(piece) if json_mode and "\\" in piece.text else piece
        value, reason = attempt(expression, scope)
        if value is UNDEFINED:
            missing.append(Missing(expression.text, expression.root, reason))
            continue
        part = value if isinstance(value, str) else text_of(value)
        parts.append(json.dumps(part)[1:-1] if json_mode else part)
        if expression.secret:
            used |= secrets_of(expression, scope)
    if missing:
        raise MissingVariables(tuple(missing), field)
    return Rendered("".join(parts), bool(used), used)


def _unescaped(piece: Piece) -> Piece:
    """The expression as it was before it was written into a JSON string."""
    try:
        return expression_of(json.loads(f'"{piece.text}"'))
    except ValueError:
        return piece


__all__ = [
    "MissingVariables",
    "Rendered",
    "lookup",
    "pieces_of",
    "render",
    "render_fields",
    "render_json_body",
    "render_value",
    "require_template_size",
]
