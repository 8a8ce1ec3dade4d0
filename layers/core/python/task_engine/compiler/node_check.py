"""What can be wrong with one node's configuration beyond its form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from task_engine.compiler.schema.base import problems_of
from task_engine.compiler.schema.kinds import NODE_FORMS, RUNNER_TYPES, node_type_of
from task_engine.config import Limits
from task_engine.errors import Problem
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import NodeType, variable_name
from task_engine.template.paths import parse_path
from task_engine.template.render import pieces_of

CODE = "INVALID_NODE_CONFIG"
# "expression" or "body", and the text: JavaScript's message, or None.
SyntaxCheck = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What a deployment allows."""

    limits: Limits
    chains: frozenset[int]
    syntax: SyntaxCheck | None = None


def node_problems(kind: NodeType, config: JsonObject, path: str, rules: NodeRules) -> list[Problem]:
    """All problems of a configuration, its runner's included."""
    problems = problems_of(NODE_FORMS[kind], dict(config), path, CODE)
    problems += _size_problems(config, path, rules.limits)
    problems += _chain_problems(config, path, rules.chains)
    if kind is NodeType.LOOP:
        problems += _runner_problems(config.get("runner"), f"{path}.runner", rules)
    if not problems and rules.syntax is not None:
        problems += _syntax_problems(kind, config, path, rules.syntax)
    return problems


def _size_problems(config: JsonObject, path: str, limits: Limits) -> Iterator[Problem]:
    for place, text in _texts(dict(config), path):
        if len(text) > limits.max_template_bytes and (
            "{{" in text or place.endswith((".source", ".query", ".expression"))
        ):
            bound = limits.max_template_bytes
            yield Problem(CODE, place, f"may have {bound} bytes at most")


def _chain_problems(config: JsonObject, path: str, chains: frozenset[int]) -> Iterator[Problem]:
    places = [(path, config)]
    event = config.get("chainEvent")
    if isinstance(event, dict):
        places.append((f"{path}.chainEvent", event))
    for place, holder in places:
        chain = holder.get("chainId")
        if type(chain) is int and chain > 0 and chain not in chains:
            known = ", ".join(str(known) for known in sorted(chains)) or "none"
            text = f"chain {chain} is not configured here (configured: {known})"
            yield Problem(CODE, f"{place}.chainId", text)


def _runner_problems(runner: JsonValue, path: str, rules: NodeRules) -> list[Problem]:
    if not isinstance(runner, dict):
        return []
    kind = node_type_of(runner.get("type"))
    if kind not in RUNNER_TYPES:
        allowed = ", ".join(sorted(kind.value for kind in RUNNER_TYPES))
        return [Problem(CODE, f"{path}.type", f"a loop can run {allowed}")]
    config = runner.get("config")
    return node_problems(kind, config, f"{path}.config", rules) if isinstance(config, dict) else []


def _syntax_problems(
    kind: NodeType, config: JsonObject, path: str, syntax: SyntaxCheck
) -> Iterator[Problem]:
    for place, text in _texts(dict(config), path):
        for piece in pieces_of(text):
            if piece.expression and piece.path is None:
                message = syntax("expression", piece.text)
                if message:
                    yield Problem(CODE, place, f"{{{{ {piece.text[:60]} }}}}: {message}")
    for place, source, form in _scripts(kind, config, path):
        # Templates are values where they stand; any literal stands for one.
        plain = "".join("(0)" if piece.expression else piece.text for piece in pieces_of(source))
        message = syntax(form, plain)
        if message:
            yield Problem(CODE, place, message)


def _scripts(kind: NodeType, config: JsonObject, path: str) -> Iterator[tuple[str, str, str]]:
    if kind is NodeType.CUSTOM_CODE and "import" not in str(config.get("source")):
        yield f"{path}.source", str(config.get("source")), "body"
    if kind is NodeType.FILTER:
        text = str(config.get("expression"))
        statement = "return" in text or text.lstrip().startswith("if")
        yield f"{path}.expression", text, "body" if statement else "expression"


def _texts(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    """Texts that may hold templates, with their places; an ABI holds none."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{path}[{place}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != "contractAbi":
                yield from _texts(item, f"{path}.{key}")


def reference_problems(
    config: JsonObject, path: str, names: Mapping[str, str], upstream: frozenset[str]
) -> Iterator[Problem]:
    """Templates that name a node which does not run before; `names` are variables by node id."""
    by_name = {name: node_id for node_id, name in names.items()}
    for place, text in _texts(dict(config), path):
        for piece in pieces_of(text):
            plain = parse_path(piece.text) if piece.expression else None
            node_id = by_name.get(str(plain[0])) if plain else None
            if node_id is not None and node_id not in upstream:
                yield Problem(
                    CODE, place, f"{{{{{piece.text}}}}}: the node {node_id!r} does not run before"
                )


def variable_names(nodes: Mapping[str, str]) -> dict[str, str]:
    """Variable by node id, from names by node id."""
    return {node_id: variable_name(name, node_id) for node_id, name in nodes.items()}
