"""`{{ }}` in texts: plain paths without JavaScript, everything else in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.processors.base import Scope
from task_engine.template.paths import Path, parse_path, resolve
from task_engine.template.sandbox import BRIDGE, Bounds, ScriptLimit, evaluate
from task_engine.template.scope_values import SECRETS_ROOT, bindings_for, secrets_value

_MOST_SUBSTITUTIONS = 100
_SYSTEM_ROOTS = frozenset(
    {"settings", "trigger", "context", "apContext", "secrets", "env", "triggerConfig"}
)
_TAGGED = """
JSON.stringify(((v) => {{
  if (v === undefined || v === null) return null;
  if (v instanceof Date) return ['t', v.toISOString().replace('T', ' ').replace('Z', ' +0000 UTC')];
  if (typeof v === 'bigint') return ['t', v.toString()];
  return ['j', v];
}})((
{expression}
)), (k, v) => typeof v === 'bigint' ? v.toString() : v)
"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered text; `tainted` when a secret went into it."""

    text: str
    tainted: bool = False


class MissingVariables(NodeError):
    """Templates that resolved to nothing: all of them, with what to do."""

    def __init__(self, expressions: tuple[str, ...], field: str) -> None:
        listed = ", ".join(f"`{expression}`" for expression in expressions)
        where = f" in `{field}`" if field else ""
        text = f"could not resolve variable {listed}{where}"
        roots = dict.fromkeys(_root(expression) for expression in expressions)
        advice = [root for root in roots if root and root not in _SYSTEM_ROOTS]
        if advice:
            nodes = ", ".join(f"'{root}'" for root in advice)
            text += f": make sure that node {nodes} runs before and succeeds"
        super().__init__(text)
        self.expressions = expressions


@dataclass(frozen=True, slots=True)
class Piece:
    """Literal text, or an expression with its plain path when it is one."""

    text: str
    expression: bool = False
    path: Path | None = None


def render(text: str, scope: Scope, field: str = "") -> Rendered:
    """Every template replaced by its value as text: strings as they are, numbers, booleans, lists
    and objects as JSON, dates as `YYYY-MM-DD HH:MM:SS.mmm +0000 UTC`.

    Raises MissingVariables naming all that resolved to null or nothing, NodeError above the size
    limit.
    """
    return _render(text, scope, field, _plain_text)


def render_json_body(text: str, scope: Scope, field: str = "body") -> Rendered:
    """As `render`, with each value escaped for the inside of a JSON string."""
    return _render(text, scope, field, lambda value: json.dumps(_plain_text(value))[1:-1])


def lookup(text: str, scope: Scope) -> tuple[bool, JsonValue]:
    """(found, value) of a path or of one template, its type kept; secrets are not reachable."""
    inner = text.strip()
    if inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1:
        inner = inner[2:-2].strip()
    path = parse_path(inner)
    if path is not None:
        return resolve(path, scope.variables)
    found, value = _by_script(inner, scope)
    return found, value


def _render(text: str, scope: Scope, field: str, as_text: Callable[[JsonValue], str]) -> Rendered:
    if "{{" not in text or "}}" not in text:
        return Rendered(text)
    if len(text) > scope.limits.max_template_bytes:
        raise NodeError(
            f"a template may have {scope.limits.max_template_bytes} bytes at most"
            + (f" (`{field}`)" if field else "")
        )
    parts: list[str] = []
    missing: list[str] = []
    tainted = False
    for piece in pieces_of(text):
        if not piece.expression:
            parts.append(piece.text)
            continue
        found, value = value_of(piece, scope)
        tainted = tainted or SECRETS_ROOT in piece.text
        if not found or value is None:
            missing.append(piece.text)
        else:
            parts.append(as_text(value))
    if missing:
        raise MissingVariables(tuple(dict.fromkeys(missing)), field)
    return Rendered("".join(parts), tainted)


def value_of(piece: Piece, scope: Scope) -> tuple[bool, JsonValue]:
    """(found, value) of one template."""
    if piece.path is None:
        return _by_script(piece.text, scope)
    if piece.path[0] == SECRETS_ROOT:
        return resolve(piece.path, {SECRETS_ROOT: secrets_value(scope)})
    return resolve(piece.path, scope.variables)


def _by_script(expression: str, scope: Scope) -> tuple[bool, JsonValue]:
    bindings, _ = bindings_for(expression, scope)
    bounds = Bounds(seconds=scope.limits.template_timeout_ms / 1000)
    code = bridged_code(bindings) + _TAGGED.format(expression=expression)
    try:
        tagged = evaluate(code, bindings, bounds)
    except ScriptLimit:
        raise
    except NodeError:
        # An expression that fails resolves to nothing, as an unknown variable does.
        return False, None
    if tagged is None:
        return False, None
    return True, tagged[1]


def bridged_code(bindings: dict[str, JsonValue]) -> str:
    """Statements that let the bindings answer to both spellings of their keys."""
    nested = [name for name, value in bindings.items() if isinstance(value, dict | list)]
    if not nested:
        return ""
    return BRIDGE + "".join(f"globalThis.{name} = __bridge({name});" for name in nested)


def _plain_text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1024)
def pieces_of(text: str) -> tuple[Piece, ...]:
    """Literals and expressions in order. Blank and nested templates vanish; a lone brace pair is
    literal; after a hundred substitutions the rest stays as it is."""
    pieces: list[Piece] = []
    position = count = 0
    while count < _MOST_SUBSTITUTIONS:
        start = text.find("{{", position)
        end = _closing(text, start) if start >= 0 else -1
        if end < 0:
            break
        pieces.append(Piece(text[position:start]))
        inner = text[start + 2 : end].strip()
        if inner and "{{" not in inner:
            pieces.append(Piece(inner, True, parse_path(inner)))
        count += 1
        position = end + 2
    pieces.append(Piece(text[position:]))
    return tuple(piece for piece in pieces if piece.text)


def _closing(text: str, start: int) -> int:
    """Where the braces that close those at `start` stand. A nested pair is skipped, and so is the
    single brace that an object in the expression ends with."""
    depth = 0
    position = start
    while position < len(text):
        if text.startswith("{{", position):
            depth += 1
            position += 2
        elif text.startswith("}}", position):
            depth -= 1
            if depth == 0:
                while text.startswith("}}}", position) and _unclosed(text[start + 2 : position]):
                    position += 1
                return position
            position += 2
        else:
            position += 1
    return -1


def _unclosed(inner: str) -> bool:
    return inner.count("{") > inner.count("}")


def _root(expression: str) -> str:
    path = parse_path(expression)
    if path is not None:
        return str(path[0])
    head = ""
    for char in expression:
        if not (char.isalnum() or char in "_$"):
            break
        head += char
    return head
