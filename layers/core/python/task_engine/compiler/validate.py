"""A create request, checked as a whole: all problems at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from task_engine.compiler.elements import ReadNodes, read_edges, read_node, read_nodes, read_trigger
from task_engine.compiler.graph_check import Link, Shape, graph_problems, parents_of
from task_engine.compiler.reference_check import reference_problems
from task_engine.compiler.request_check import (
    document_problems,
    time_problems,
    variable_problems,
    warnings_of,
)
from task_engine.compiler.rules import SyntaxCheck, ValidationRules
from task_engine.compiler.schema.base import problems_of
from task_engine.compiler.schema.envelope import CreateForm
from task_engine.errors import InvalidRequest, Problem
from task_engine.ids import new_id
from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import Node, variable_name
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger

__all__ = [
    "SyntaxCheck",
    "TaskDraft",
    "ValidationRules",
    "validate_node",
    "validate_task",
    "validate_trigger",
]

_MOST_TOLD = 200
_IN_MESSAGE = 3


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


def validate_task(body: JsonValue | JsonObject, rules: ValidationRules) -> TaskDraft:
    """The task that a body describes, as its author wrote it.

    Raises InvalidRequest with every problem found (200 at most); a body that is too large or too
    deep is not looked into. Never anything else, whatever the body is.
    """
    if not isinstance(body, Mapping):
        raise InvalidRequest("the workflow must be a JSON object", code="WORKFLOWS_BAD_PAYLOAD")
    unreadable = document_problems(body, rules.limits)
    if unreadable:
        raise _refused(unreadable)
    problems = problems_of(CreateForm, dict(body), "", "WORKFLOWS_BAD_PAYLOAD")
    links, edge_problems = read_edges(body.get("edges"))
    read = read_nodes(body.get("nodes"), rules)
    trigger_id = _trigger_id(body.get("trigger"), links, read, rules)
    trigger, found = None, list[Problem]()
    if isinstance(body.get("trigger"), dict):
        trigger, found = read_trigger(body["trigger"], _variables(body), trigger_id, rules)
    problems += [*found, *read.problems, *edge_problems]
    problems += variable_problems(body)
    problems += time_problems(body, rules)
    problems += _name_problems(trigger, read, _variables(body))
    whole = _is_whole(body, links, read)
    shape = Shape(trigger_id, read.vertices, links, whole)
    broken = graph_problems(shape)
    problems += broken
    if not broken and len(read.nodes) == len(read.vertices):
        problems += reference_problems(read.nodes, parents_of(shape))
    if problems or trigger is None:
        raise _refused(problems)
    edges = tuple(Edge(link.id, link.source, link.target) for link in links)
    return _draft(body, trigger, tuple(node for _, node in read.nodes), edges, rules)


def validate_trigger(
    value: JsonValue, variables: JsonObject, rules: ValidationRules
) -> tuple[Trigger | None, list[Problem]]:
    """One trigger by itself; without an id it gets a new one."""
    return read_trigger(value, variables, new_id(rules.now_ms), rules)


def validate_node(
    value: JsonValue, path: str, rules: ValidationRules
) -> tuple[Node | None, list[Problem]]:
    """One node by itself."""
    return read_node(value, path, rules)


def _refused(problems: list[Problem]) -> InvalidRequest:
    told = [f"{p.path}: {p.message}" if p.path else p.message for p in problems[:_IN_MESSAGE]]
    more = len(problems) - len(told)
    return InvalidRequest(
        f"the workflow can't be created: {'; '.join(told)}" + (f" and {more} more" if more else ""),
        tuple(problems[:_MOST_TOLD]),
        code=problems[0].code if len(problems) == 1 else "WORKFLOWS_BAD_REQUEST",
    )


def _variables(body: JsonObject) -> dict[str, JsonValue]:
    given = body.get("inputVariables")
    return dict(given) if isinstance(given, dict) else {}


def _trigger_id(
    trigger: JsonValue, links: list[Link], read: ReadNodes, rules: ValidationRules
) -> str:
    """The trigger's id. One that was left out is what the edges call it, if they agree: they could
    not lead away from it otherwise."""
    given = trigger.get("id") if isinstance(trigger, dict) else None
    if isinstance(given, str) and given.strip():
        return given
    ids = {vertex.id for vertex in read.vertices}
    others = {link.source for link in links} - ids
    unknown = {source for source in others if source.partition(".")[0] not in ids}
    return unknown.pop() if len(unknown) == 1 else new_id(rules.now_ms)


def _is_whole(body: JsonObject, links: list[Link], read: ReadNodes) -> bool:
    """Whether every node and edge could be placed, and there is a trigger for edges to leave."""
    nodes, edges = body.get("nodes"), body.get("edges")
    return (
        isinstance(body.get("trigger"), dict)
        and isinstance(nodes, list)
        and len(read.vertices) == len(nodes)
        and isinstance(edges, list)
        and len(links) == len(edges)
    )


def _name_problems(
    trigger: Trigger | None, read: ReadNodes, variables: JsonObject
) -> Iterator[Problem]:
    taken = dict.fromkeys(variables, "is the name of an input variable too")
    if trigger is not None:
        name = variable_name(trigger.name, trigger.id)
        if name in taken:
            yield Problem(
                "WORKFLOWS_BAD_TRIGGER", "trigger.name", _taken(trigger.name, taken[name])
            )
        taken.setdefault(name, "is the trigger's name too")
    for place, node in read.nodes:
        name = variable_name(node.name, node.id)
        if name in taken:
            path = f"nodes[{place}].name"
            yield Problem("WORKFLOWS_BAD_NODE", path, _taken(node.name, taken[name]))
        taken.setdefault(name, f"is the name of the node {node.id!r} too")


def _taken(name: str, text: str) -> str:
    return f"{name[:60]!r} {text}: names must differ"


def _draft(
    body: JsonObject,
    trigger: Trigger,
    nodes: tuple[Node, ...],
    edges: tuple[Edge, ...],
    rules: ValidationRules,
) -> TaskDraft:
    variables = _variables(body)
    given = variables.get("settings")
    settings = dict(given) if isinstance(given, dict) else {}
    name = str(body.get("name") or settings.get("name") or "")
    if name:
        settings["name"] = name
    return TaskDraft(
        name=name,
        wallet=str(settings["runner"]),
        definition=Definition(trigger, nodes, edges, {**variables, "settings": settings}),
        start_at=_whole(body.get("startAt")),
        expired_at=_whole(body.get("expiredAt")),
        max_execution=_whole(body.get("maxExecution")) or rules.limits.default_max_execution,
        warnings=tuple(warnings_of(body, rules)),
    )


def _whole(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
