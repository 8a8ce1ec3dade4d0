"""What can be wrong with one node's configuration."""

from __future__ import annotations

from collections.abc import Iterator

from task_engine.compiler.json_text import is_json
from task_engine.compiler.rules import Script, SyntaxCheck, ValidationRules
from task_engine.compiler.schema.base import problems_of
from task_engine.compiler.schema.kinds import NODE_FORMS, RUNNER_TYPES, node_type_of
from task_engine.config import Limits
from task_engine.errors import Problem
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import NodeType
from task_engine.template.pieces import pieces_of

CODE = "INVALID_NODE_CONFIG"
# These may be long only up to the bound for templates, whether they hold any or not.
_PROGRAMS = (".source", ".query", ".expression")


def node_problems(
    kind: NodeType, config: JsonObject, path: str, rules: ValidationRules
) -> list[Problem]:
    """All problems of a configuration, its runner's included."""
    problems = problems_of(NODE_FORMS[kind], dict(config), path, CODE)
    problems += _size_problems(config, path, rules.limits)
    problems += _chain_problems(config, path, rules)
    if kind is NodeType.REST_API:
        problems += _body_problems(config, path)
    if kind is NodeType.LOOP:
        problems += _runner_problems(config.get("runner"), f"{path}.runner", rules)
    if not problems and rules.syntax_check is not None and kind is not NodeType.LOOP:
        problems += _syntax_problems(kind, config, path, rules.syntax_check)
    return problems


def _size_problems(config: JsonObject, path: str, limits: Limits) -> Iterator[Problem]:
    bound = limits.max_template_bytes
    for place, text in texts_of(dict(config), path):
        bounded = "{{" in text or place.endswith(_PROGRAMS)
        if bounded and len(text.encode("utf-8", "surrogatepass")) > bound:
            yield Problem(CODE, place, f"may have {bound} bytes at most")


def _chain_problems(config: JsonObject, path: str, rules: ValidationRules) -> Iterator[Problem]:
    places: list[tuple[str, JsonObject]] = [(path, config)]
    event = config.get("chainEvent")
    if isinstance(event, dict):
        places.append((f"{path}.chainEvent", event))
    for place, holder in places:
        problem = rules.chain_problem(holder.get("chainId"), f"{place}.chainId", CODE)
        if problem is not None:
            yield problem


def _body_problems(config: JsonObject, path: str) -> Iterator[Problem]:
    """A body that is said to be JSON must be, before its templates are filled in."""
    body, headers = config.get("body"), config.get("headers")
    if not isinstance(body, str) or not body.strip() or not isinstance(headers, dict):
        return
    for name, value in headers.items():
        kind = str(value).partition(";")[0].strip().lower()
        is_type = name.strip().lower() == "content-type" and kind.endswith(("/json", "+json"))
        if is_type and not is_json(body):
            text = 'is not JSON as its content type says: templates stand inside of texts: "{{x}}"'
            yield Problem(CODE, f"{path}.body", text)


def _runner_problems(runner: JsonValue, path: str, rules: ValidationRules) -> list[Problem]:
    if not isinstance(runner, dict) or not isinstance(runner.get("type"), str):
        return []
    kind = node_type_of(runner["type"])
    if kind is None or kind not in RUNNER_TYPES:
        allowed = ", ".join(sorted(kind.value for kind in RUNNER_TYPES))
        return [Problem(CODE, f"{path}.type", f"a loop can run {allowed}")]
    config = runner.get("config")
    return node_problems(kind, config, f"{path}.config", rules) if isinstance(config, dict) else []


def _syntax_problems(
    kind: NodeType, config: JsonObject, path: str, syntax: SyntaxCheck
) -> Iterator[Problem]:
    for place, text in texts_of(dict(config), path):
        for piece in pieces_of(text):
            if piece.expression and piece.path is None:
                message = syntax("expression", piece.text)
                if message:
                    yield Problem(CODE, place, f"{{{{{piece.text[:60]}}}}}: {message}")
    for place, source, form in _scripts(kind, config, path):
        # Templates are values where they stand; any literal stands for one.
        plain = "".join("(0)" if piece.expression else piece.text for piece in pieces_of(source))
        message = syntax(form, plain) if plain.strip() else None
        if message:
            yield Problem(CODE, place, message)


def _scripts(kind: NodeType, config: JsonObject, path: str) -> Iterator[tuple[str, str, Script]]:
    """(place, source, what it is) of whatever is JavaScript as a whole."""
    if kind is NodeType.CUSTOM_CODE and "import" not in str(config.get("source")):
        yield f"{path}.source", str(config.get("source")), "body"
    elif kind is NodeType.FILTER:
        text = str(config.get("expression"))
        statement = "return" in text or text.lstrip().startswith("if")
        yield f"{path}.expression", text, "body" if statement else "expression"
    elif kind is NodeType.BRANCH:
        for place, expression in conditions_of(config, path):
            yield place, expression, "expression"


def conditions_of(config: JsonObject, path: str) -> Iterator[tuple[str, str]]:
    """Expressions of a branch with their places."""
    listed = config.get("conditions")
    for place, item in enumerate(listed if isinstance(listed, list) else []):
        expression = item.get("expression") if isinstance(item, dict) else None
        if isinstance(expression, str):
            yield f"{path}.conditions[{place}].expression", expression


def texts_of(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    """Texts that may hold templates, with their places; an ABI holds none."""
    stack: list[tuple[JsonValue, str]] = [(value, path)]
    while stack:
        current, place = stack.pop()
        if isinstance(current, str):
            yield place, current
        elif isinstance(current, list):
            stack.extend((item, f"{place}[{i}]") for i, item in reversed([*enumerate(current)]))
        elif isinstance(current, dict):
            stack.extend(
                (item, f"{place}.{key[:100]}")
                for key, item in reversed(current.items())
                if key != "contractAbi"
            )
