"""A create request, checked as a whole: all problems at once, each with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from task_engine.compiler.graph_check import Shape, graph_problems, parents_of
from task_engine.compiler.naming import RESERVED, name_problem
from task_engine.compiler.node_check import (
    NodeRules,
    SyntaxCheck,
    node_problems,
    reference_problems,
    variable_names,
)
from task_engine.compiler.schema.base import problems_of
from task_engine.compiler.schema.envelope import CreateForm, EdgeForm, NodeForm, TriggerForm
from task_engine.compiler.schema.kinds import TRIGGER_FORMS, node_type_of
from task_engine.compiler.trigger_check import (
    frequency_problems,
    frozen_event,
    manual_size_problems,
)
from task_engine.config import Limits
from task_engine.errors import InvalidRequest, Problem
from task_engine.ids import new_id
from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import Node, Retry, variable_name
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerType

_ADDRESS_DIGITS = 40


@dataclass(frozen=True, slots=True)
class ValidationRules:
    """What a deployment allows, and the time of the request (ms)."""

    limits: Limits
    chains: frozenset[int]
    now_ms: int
    syntax_check: SyntaxCheck | None = None


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """A request that may become a task; `wallet` is as it was given, times in ms, 0 = unset."""

    name: str
    wallet: str
    definition: Definition
    start_at: int
    expired_at: int
    max_execution: int
    warnings: tuple[str, ...] = field(default=())


def validate_task(body: JsonObject, rules: ValidationRules) -> TaskDraft:
    """Raises InvalidRequest with every problem found."""
    problems = problems_of(CreateForm, dict(body), "", "WORKFLOWS_BAD_PAYLOAD")
    problems = [Problem(p.code, p.path.lstrip("."), p.message) for p in problems]
    trigger, found = _trigger(body.get("trigger"), body, rules)
    problems += found
    nodes, found = _nodes(body.get("nodes"), rules)
    problems += found
    edges, found = _edges(body.get("edges"))
    problems += found
    problems += _variable_problems(body)
    problems += _time_problems(body, rules)
    problems += _size_problems(body, nodes, rules.limits)
    if trigger is not None and len(nodes) == _length(body, "nodes"):
        problems += _name_problems(trigger, nodes, body)
        shape = Shape(trigger.id, nodes, edges)
        if len(edges) == _length(body, "edges"):
            broken = graph_problems(shape)
            problems += broken or _reference_problems(shape)
    if problems or trigger is None:
        raise InvalidRequest(
            "the workflow can't be created: "
            + "; ".join(_told(p) for p in problems[:3])
            + (f" and {len(problems) - 3} more" if len(problems) > 3 else ""),
            tuple(problems),
            code=problems[0].code if len(problems) == 1 else "WORKFLOWS_BAD_REQUEST",
        )
    return _draft(body, trigger, nodes, edges, rules.limits)


def _told(problem: Problem) -> str:
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def validate_trigger(
    value: JsonValue, variables: JsonObject, rules: ValidationRules
) -> tuple[Trigger | None, list[Problem]]:
    """One trigger by itself."""
    return _trigger(value, {"inputVariables": dict(variables)}, rules)


def validate_node(
    value: JsonValue, path: str, rules: ValidationRules
) -> tuple[Node | None, list[Problem]]:
    """One node by itself."""
    problems = problems_of(NodeForm, value, path, "WORKFLOWS_BAD_NODE")
    if not isinstance(value, dict):
        return None, problems
    kind = node_type_of(value.get("type"))
    config = value.get("config")
    if kind is None and isinstance(value.get("type"), str) and value["type"]:
        text = f"{value['type']!r} is no type of node"
        problems.append(Problem("WORKFLOWS_BAD_NODE", f"{path}.type", text))
    if kind is None or not isinstance(config, dict) or not isinstance(value.get("id"), str):
        return None, problems
    allowed = NodeRules(rules.limits, rules.chains, rules.syntax_check)
    problems += node_problems(kind, config, f"{path}.config", allowed)
    name = str(value.get("name") or value["id"])
    wrong = name_problem(name) if value.get("name") else None
    if wrong:
        problems.append(Problem("WORKFLOWS_BAD_NODE", f"{path}.name", f"{name[:60]!r} {wrong}"))
    if problems:
        # Still a node: its place in the graph is checked all the same.
        return Node(str(value["id"]), name, kind, config), problems
    return Node(str(value["id"]), name, kind, config, _retry(value.get("retry"))), problems


def _retry(value: JsonValue) -> Retry | None:
    if not isinstance(value, dict):
        return None
    return Retry(
        int(str(value.get("maxAttempts", 1))), float(str(value.get("backoffSeconds", 1.0)))
    )


def _trigger(
    value: JsonValue, body: JsonObject, rules: ValidationRules
) -> tuple[Trigger | None, list[Problem]]:
    if not isinstance(value, dict):
        return None, []
    problems = problems_of(TriggerForm, value, "trigger", "WORKFLOWS_BAD_TRIGGER")
    word, config = value.get("type"), value.get("config")
    kind = TriggerType(word) if word in list(TriggerType) else None
    if kind is None and isinstance(word, str) and word:
        text = f"{word!r} is no type of trigger"
        problems.append(Problem("WORKFLOWS_BAD_TRIGGER_TYPE", "trigger.type", text))
    name = value.get("name")
    text_of_name = name_problem(name, trigger=True) if isinstance(name, str) and name else None
    if text_of_name:
        text = f"{str(name)[:60]!r} {text_of_name}"
        problems.append(Problem("WORKFLOWS_BAD_TRIGGER", "trigger.name", text))
    if kind is None or not isinstance(config, dict) or not isinstance(name, str):
        return None, problems
    given = value.get("id")
    identity = given if isinstance(given, str) and given else new_id(rules.now_ms)
    form = problems_of(TRIGGER_FORMS[kind], config, "trigger.config", "INVALID_TRIGGER_CONFIG")
    frozen: JsonObject = config
    if not form:
        frozen, form = _trigger_rules(kind, config, body, rules)
    return Trigger(identity, name, kind, frozen), problems + form


def _trigger_rules(
    kind: TriggerType, config: JsonObject, body: JsonObject, rules: ValidationRules
) -> tuple[JsonObject, list[Problem]]:
    problems = list(frequency_problems(kind, config, rules.limits, rules.now_ms))
    if kind is TriggerType.MANUAL:
        problems += manual_size_problems(config, rules.limits)
    chain = config.get("chainId")
    if type(chain) is int and chain not in rules.chains:
        known = ", ".join(str(known) for known in sorted(rules.chains)) or "none"
        text = f"chain {chain} is not configured here (configured: {known})"
        problems.append(Problem("INVALID_TRIGGER_CONFIG", "trigger.config.chainId", text))
    if kind is TriggerType.EVENT:
        variables = body.get("inputVariables")
        known_values = dict(variables) if isinstance(variables, dict) else {}
        config, found = frozen_event(config, known_values, rules.limits)
        problems += found
    return config, problems


def _nodes(value: JsonValue, rules: ValidationRules) -> tuple[list[Node], list[Problem]]:
    nodes: list[Node] = []
    problems: list[Problem] = []
    for place, item in enumerate(value if isinstance(value, list) else []):
        node, found = validate_node(item, f"nodes[{place}]", rules)
        problems += found if isinstance(item, dict) else []
        if node is not None:
            nodes.append(node)
    return nodes, problems


def _edges(value: JsonValue) -> tuple[list[Edge], list[Problem]]:
    edges: list[Edge] = []
    problems: list[Problem] = []
    for place, item in enumerate(value if isinstance(value, list) else []):
        if not isinstance(item, dict):
            continue
        found = problems_of(EdgeForm, item, f"edges[{place}]", "WORKFLOWS_BAD_PAYLOAD")
        problems += found
        if not found:
            edges.append(Edge(str(item["id"]), str(item["source"]), str(item["target"])))
    return edges, problems


def _variable_problems(body: JsonObject) -> Iterator[Problem]:
    variables = body.get("inputVariables")
    if not isinstance(variables, dict):
        return
    settings = variables.get("settings")
    path = "inputVariables.settings"
    if not isinstance(settings, dict):
        yield Problem("MISSING_REQUIRED_FIELD", path, "settings is required: an object with runner")
    else:
        runner = settings.get("runner")
        if runner is None or runner == "":
            text = "runner is required: the smart wallet that acts"
            yield Problem("MISSING_REQUIRED_FIELD", f"{path}.runner", text)
        elif not _is_address(runner):
            text = "must be an address: 0x and 40 hexadecimal digits"
            yield Problem("INVALID_ADDRESS", f"{path}.runner", text)
    for name in variables:
        if name in RESERVED - {"settings"}:
            text = "is a name of the engine's: choose another name"
            yield Problem("WORKFLOWS_BAD_PAYLOAD", f"inputVariables.{name}", text)


def _is_address(value: JsonValue) -> bool:
    if not isinstance(value, str) or value[:2].lower() != "0x":
        return False
    digits = value[2:]
    return len(digits) == _ADDRESS_DIGITS and all(c in "0123456789abcdefABCDEF" for c in digits)


def _name_problems(trigger: Trigger, nodes: list[Node], body: JsonObject) -> Iterator[Problem]:
    variables = body.get("inputVariables")
    taken = dict.fromkeys(variables if isinstance(variables, dict) else {}, "an input variable")
    name = variable_name(trigger.name, trigger.id)
    if name in taken:
        yield Problem("WORKFLOWS_BAD_TRIGGER", "trigger.name", f"is also {taken[name]}")
    taken[name] = "the trigger's name"
    for place, node in enumerate(nodes):
        name = variable_name(node.name, node.id)
        if name in taken:
            text = f"{node.name[:60]!r} is also {taken[name]}: names must differ"
            yield Problem("WORKFLOWS_BAD_NODE", f"nodes[{place}].name", text)
        taken.setdefault(name, "the name of another node")


def _time_problems(body: JsonObject, rules: ValidationRules) -> Iterator[Problem]:
    start, end = body.get("startAt"), body.get("expiredAt")
    if isinstance(end, int) and end > 0:
        least = rules.now_ms + rules.limits.min_expiry_seconds * 1000
        if end < least:
            minutes = (end - rules.now_ms) / 60_000
            text = f"must be at least {rules.limits.min_expiry_seconds // 60} minutes ahead"
            yield Problem("INVALID_REQUEST", "expiredAt", f"{text}, it is {minutes:.1f}")
        if isinstance(start, int) and start >= end:
            yield Problem("INVALID_REQUEST", "startAt", "must be before expiredAt")


def _size_problems(body: JsonObject, nodes: list[Node], limits: Limits) -> Iterator[Problem]:
    if len(nodes) > limits.max_nodes:
        text = f"a workflow may have {limits.max_nodes} nodes at most, this has {len(nodes)}"
        yield Problem("INVALID_WORKFLOW", "nodes", text)
    size = len(json.dumps(body))
    if size > limits.max_task_bytes:
        text = f"a workflow may have {limits.max_task_bytes} bytes at most, this has {size}"
        yield Problem("INVALID_WORKFLOW", "", text)


def _reference_problems(shape: Shape) -> Iterator[Problem]:
    parents = parents_of(shape)
    names = variable_names({node.id: node.name for node in shape.nodes})
    for place, node in enumerate(shape.nodes):
        if "{{" not in json.dumps(dict(node.config)):
            continue
        upstream = _ancestors(node.id, parents)
        yield from reference_problems(node.config, f"nodes[{place}].config", names, upstream)


def _ancestors(node_id: str, parents: Mapping[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    stack = list(parents[node_id])
    while stack:
        parent = stack.pop()
        if parent not in found:
            found.add(parent)
            stack.extend(parents[parent])
    return frozenset(found)


def _length(body: JsonObject, key: str) -> int:
    value = body.get(key)
    return len(value) if isinstance(value, list) else -1


def _draft(
    body: JsonObject, trigger: Trigger, nodes: list[Node], edges: list[Edge], limits: Limits
) -> TaskDraft:
    variables: dict[str, JsonValue] = {}
    given = body.get("inputVariables")
    if isinstance(given, dict):
        variables.update(given)
    settings = variables.get("settings")
    own = dict(settings) if isinstance(settings, dict) else {}
    name = str(body.get("name") or own.get("name") or "")
    own["name"] = name
    return TaskDraft(
        name=name,
        wallet=str(own["runner"]),
        definition=Definition(trigger, tuple(nodes), tuple(edges), {**variables, "settings": own}),
        start_at=int(str(body.get("startAt") or 0)),
        expired_at=int(str(body.get("expiredAt") or 0)),
        max_execution=int(str(body.get("maxExecution") or limits.default_max_execution)),
    )
