"""Trigger, nodes and edges of a request, read one by one: each also by itself."""

from __future__ import annotations

from dataclasses import dataclass

from task_engine.compiler.graph_check import Link, Vertex
from task_engine.compiler.naming import name_problem, variable_problem
from task_engine.compiler.node_check import node_problems
from task_engine.compiler.rules import ValidationRules
from task_engine.compiler.schema.base import problems_of
from task_engine.compiler.schema.envelope import EdgeForm, NodeForm, TriggerForm
from task_engine.compiler.schema.kinds import TRIGGER_FORMS, node_type_of, trigger_type_of
from task_engine.compiler.trigger_check import (
    frequency_problems,
    frozen_event,
    manual_size_problems,
)
from task_engine.errors import Problem
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import AWAIT_CONDITIONS, Node, NodeType, Retry, variable_name
from task_engine.model.trigger import Trigger, TriggerType

_BAD_TRIGGER = "WORKFLOWS_BAD_TRIGGER"
_BAD_NODE = "WORKFLOWS_BAD_NODE"
_BAD_CONFIG = "INVALID_TRIGGER_CONFIG"


@dataclass(frozen=True, slots=True)
class ReadNodes:
    """What could be read of the nodes: all that have an id, and those that are nodes."""

    vertices: list[Vertex]
    nodes: list[tuple[int, Node]]
    problems: list[Problem]


def read_trigger(
    value: JsonValue, variables: JsonObject, fallback_id: str, rules: ValidationRules
) -> tuple[Trigger | None, list[Problem]]:
    """The trigger, its event templates resolved against `variables`; None when its type, name or
    config can't be told. Without an id it gets `fallback_id`."""
    problems = problems_of(TriggerForm, value, "trigger", _BAD_TRIGGER)
    if not isinstance(value, dict):
        return None, problems
    word, config, name = value.get("type"), value.get("config"), value.get("name")
    kind = trigger_type_of(word)
    if kind is None and isinstance(word, str) and word.strip():
        known = ", ".join(kind.value for kind in TriggerType)
        text = f"{word[:60]!r} is no type of trigger: use {known}"
        problems.append(Problem("WORKFLOWS_BAD_TRIGGER_TYPE", "trigger.type", text))
    if isinstance(name, str) and name.strip():
        text = name_problem(name, trigger=True) or ""
        if text:
            problems.append(Problem(_BAD_TRIGGER, "trigger.name", f"{name[:60]!r} {text}"))
    if kind is None or not isinstance(config, dict):
        return None, problems
    frozen: JsonObject = config
    form = problems_of(TRIGGER_FORMS[kind], config, "trigger.config", _BAD_CONFIG)
    problem = rules.chain_problem(config.get("chainId"), "trigger.config.chainId", _BAD_CONFIG)
    if not form:
        frozen, form = _ruled(kind, config, variables, rules)
    problems += [*form, *([problem] if problem else [])]
    if not isinstance(name, str):
        return None, problems
    return Trigger(_text(value.get("id")) or fallback_id, name, kind, frozen), problems


def _ruled(
    kind: TriggerType, config: JsonObject, variables: JsonObject, rules: ValidationRules
) -> tuple[JsonObject, list[Problem]]:
    problems = list(frequency_problems(kind, config, rules.limits, rules.now_ms))
    if kind is TriggerType.MANUAL:
        problems += manual_size_problems(config, rules.limits)
    if kind is TriggerType.EVENT:
        config, found = frozen_event(config, dict(variables), rules.limits)
        problems += found
    return config, problems


def read_node(
    value: JsonValue, path: str, rules: ValidationRules
) -> tuple[Node | None, list[Problem]]:
    """One node; None when its id, type or config can't be told. Without a name, its id is it."""
    problems = problems_of(NodeForm, value, path, _BAD_NODE)
    if not isinstance(value, dict):
        return None, problems
    word, config = value.get("type"), value.get("config")
    node_id, name = _text(value.get("id")), _text(value.get("name"))
    kind = node_type_of(word)
    if kind is None and isinstance(word, str) and word.strip():
        known = ", ".join(kind.value for kind in NodeType)
        text = f"{word[:60]!r} is no type of node: use {known}"
        problems.append(Problem(_BAD_NODE, f"{path}.type", text))
    problems += _name_problems(name, node_id, path)
    if kind is None or not isinstance(config, dict) or not node_id:
        return None, problems
    problems += node_problems(kind, config, f"{path}.config", rules)
    retry = None if problems else _retry(value.get("retry"))
    stops = value.get("onError") == "stop"
    return Node(node_id, name or node_id, kind, config, retry, stops), problems


def _name_problems(name: str, node_id: str, path: str) -> list[Problem]:
    if name:
        text = name_problem(name)
        return [Problem(_BAD_NODE, f"{path}.name", f"{name[:60]!r} {text}")] if text else []
    text = variable_problem(variable_name("", node_id), trigger=False) if node_id else None
    return [Problem(_BAD_NODE, f"{path}.id", f"{node_id[:60]!r} {text}")] if text else []


def _retry(value: JsonValue) -> Retry | None:
    if not isinstance(value, dict):
        return None
    attempts, backoff = value.get("maxAttempts", 1), value.get("backoffSeconds", 1.0)
    return Retry(
        attempts if isinstance(attempts, int) else 1,
        backoff if isinstance(backoff, int | float) else 1.0,
    )


def read_nodes(value: JsonValue, rules: ValidationRules) -> ReadNodes:
    """All nodes with their places."""
    read = ReadNodes([], [], [])
    for place, item in enumerate(value if isinstance(value, list) else []):
        if not isinstance(item, dict):
            continue
        node, found = read_node(item, f"nodes[{place}]", rules)
        read.problems.extend(found)
        if node is not None:
            read.nodes.append((place, node))
        node_id = _text(item.get("id"))
        if node_id:
            read.vertices.append(Vertex(node_id, place, _conditions(item, node)))
    return read


def _conditions(item: dict[str, JsonValue], node: Node | None) -> frozenset[str] | None:
    if node_type_of(item.get("type")) is NodeType.AWAIT:
        return AWAIT_CONDITIONS
    if node_type_of(item.get("type")) not in (None, NodeType.BRANCH):
        return frozenset()
    listed = node.config.get("conditions") if node is not None else None
    items = listed if isinstance(listed, list) else []
    ids = {str(item.get("id")) for item in items if isinstance(item, dict)}
    return frozenset(ids) or None


def read_edges(value: JsonValue) -> tuple[list[Link], list[Problem]]:
    """All edges that are well-formed, with their places."""
    links: list[Link] = []
    problems: list[Problem] = []
    for place, item in enumerate(value if isinstance(value, list) else []):
        if not isinstance(item, dict):
            continue
        found = problems_of(EdgeForm, item, f"edges[{place}]", "WORKFLOWS_BAD_PAYLOAD")
        problems += found
        if not found:
            links.append(Link(str(item["id"]), str(item["source"]), str(item["target"]), place))
    return links, problems


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) and value.strip() else ""
