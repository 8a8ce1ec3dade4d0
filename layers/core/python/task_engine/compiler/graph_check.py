"""What can be wrong with the shape of a task."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from task_engine.errors import Problem
from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonObject
from task_engine.model.node import Node, NodeType

CODE = "INVALID_WORKFLOW"


@dataclass(frozen=True, slots=True)
class Shape:
    """Nodes and edges with the places they had in the request."""

    trigger_id: str
    nodes: Sequence[Node]
    edges: Sequence[Edge]


def graph_problems(shape: Shape) -> list[Problem]:
    """Duplicate ids, dangling ends, cycles, nodes that nothing leads to; each with its place."""
    problems = [*_id_problems(shape), *_edge_problems(shape)]
    if problems:
        # Reachability of a graph with broken edges would only repeat them.
        return problems
    return [*_cycle_problems(shape), *_unreachable_problems(shape)]


def _id_problems(shape: Shape) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, node in enumerate(shape.nodes):
        path = f"nodes[{place}].id"
        if "." in node.id:
            yield Problem(CODE, path, "can't contain a dot: it separates a branch's conditions")
        if node.id == shape.trigger_id:
            yield Problem(CODE, path, "is the trigger's id: choose another one")
        if node.id in seen:
            yield Problem(CODE, path, f"{node.id!r} is the id of another node too")
        seen.add(node.id)
    edges: set[str] = set()
    for place, edge in enumerate(shape.edges):
        if edge.id in edges:
            yield Problem(CODE, f"edges[{place}].id", f"{edge.id!r} is the id of another edge too")
        edges.add(edge.id)


def _edge_problems(shape: Shape) -> Iterator[Problem]:
    nodes = {node.id: node for node in shape.nodes}
    for place, edge in enumerate(shape.edges):
        if edge.target not in nodes:
            yield Problem(CODE, f"edges[{place}].target", f"no node has the id {edge.target!r}")
        text = _source_problem(edge.source, shape.trigger_id, nodes)
        if text:
            yield Problem(CODE, f"edges[{place}].source", text)
    if not any(edge.source == shape.trigger_id for edge in shape.edges):
        yield Problem(CODE, "edges", f"no edge leaves the trigger {shape.trigger_id!r}")


def _source_problem(source: str, trigger_id: str, nodes: Mapping[str, Node]) -> str | None:
    if source == trigger_id or source in nodes:
        return None
    branch_id, dot, condition_id = source.partition(".")
    branch = nodes.get(branch_id)
    if not dot or branch is None:
        return f"neither trigger nor node has the id {source!r}"
    if branch.type is not NodeType.BRANCH:
        return f"{branch_id!r} is no branch: it has no conditions"
    if condition_id not in condition_ids(branch.config):
        return f"the branch {branch_id!r} has no condition {condition_id!r}"
    return None


def condition_ids(config: JsonObject) -> set[str]:
    """Ids of a branch's conditions."""
    listed = config.get("conditions")
    items = listed if isinstance(listed, list) else []
    return {str(item.get("id")) for item in items if isinstance(item, dict)}


def parents_of(shape: Shape) -> dict[str, list[str]]:
    """Nodes that lead to each node, the trigger left out."""
    ids = {node.id for node in shape.nodes}
    parents: dict[str, list[str]] = {node.id: [] for node in shape.nodes}
    for edge in shape.edges:
        source = edge.source if edge.source in ids else edge.source.partition(".")[0]
        if source in ids and edge.target in parents:
            parents[edge.target].append(source)
    return parents


def _cycle_problems(shape: Shape) -> Iterator[Problem]:
    parents = parents_of(shape)
    children: dict[str, list[str]] = {node.id: [] for node in shape.nodes}
    waiting = {node_id: len(sources) for node_id, sources in parents.items()}
    for node_id, sources in parents.items():
        for source in sources:
            children[source].append(node_id)
    ready = deque(node_id for node_id, count in waiting.items() if count == 0)
    while ready:
        for child in children[ready.popleft()]:
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    stuck = {node_id for node_id, count in waiting.items() if count > 0}
    if stuck:
        ring = _ring(stuck, parents)
        yield Problem(CODE, "edges", f"the nodes form a cycle: {' → '.join(ring)}")


def _ring(stuck: set[str], parents: Mapping[str, Sequence[str]]) -> list[str]:
    """One cycle among nodes of which each has a parent among them; in the edges' direction."""
    node = min(stuck)
    trail: dict[str, int] = {}
    walked: list[str] = []
    while node not in trail:
        trail[node] = len(walked)
        walked.append(node)
        node = next(parent for parent in parents[node] if parent in stuck)
    return [node, *reversed(walked[trail[node] :])]


def _unreachable_problems(shape: Shape) -> Iterator[Problem]:
    children: dict[str, list[str]] = {}
    for edge in shape.edges:
        children.setdefault(edge.source.partition(".")[0], []).append(edge.target)
    reached: set[str] = set()
    ready = deque([shape.trigger_id.partition(".")[0]])
    while ready:
        for child in children.get(ready.popleft(), []):
            if child not in reached:
                reached.add(child)
                ready.append(child)
    for place, node in enumerate(shape.nodes):
        if node.id not in reached:
            yield Problem(CODE, f"nodes[{place}]", f"nothing leads to the node {node.id!r}")
