"""What can be wrong with the shape of a task."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from task_engine.errors import Problem

CODE = "INVALID_WORKFLOW"
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node's place in the request. `conditions` are a branch's ids, empty for other nodes, None
    where the node is too broken to tell."""

    id: str
    place: int
    conditions: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """An edge's place in the request."""

    id: str
    source: str
    target: str
    place: int


@dataclass(frozen=True, slots=True)
class Shape:
    """The readable nodes and edges; `whole` when there were no others."""

    trigger_id: str
    vertices: Sequence[Vertex]
    links: Sequence[Link]
    whole: bool = True


def graph_problems(shape: Shape) -> list[Problem]:
    """Duplicate ids, dangling ends, cycles, nodes that nothing leads to; each with its place."""
    problems = [*_id_problems(shape), *_edge_problems(shape)]
    if problems:
        # Reachability of a graph with broken edges would only repeat them.
        return problems
    children = _children(shape)
    problems += _cycle_problems(shape)
    if shape.whole:
        problems += _unreachable_problems(shape, children)
    return problems


def parents_of(shape: Shape) -> dict[str, list[str]]:
    """Nodes that lead to each node, the trigger left out."""
    parents: dict[str, list[str]] = {vertex.id: [] for vertex in shape.vertices}
    for source, targets in _children(shape).items():
        for target in targets:
            if source in parents:
                parents[target].append(source)
    return parents


def topological(parents: Mapping[str, Sequence[str]]) -> list[str]:
    """Nodes after all that lead to them; those on and behind a cycle are left out."""
    children: dict[str, list[str]] = {node_id: [] for node_id in parents}
    for node_id, sources in parents.items():
        for source in sources:
            children[source].append(node_id)
    waiting = {node_id: len(sources) for node_id, sources in parents.items()}
    ready = deque(node_id for node_id, count in waiting.items() if count == 0)
    order: list[str] = []
    while ready:
        order.append(ready.popleft())
        for child in children[order[-1]]:
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    return order


def _id_problems(shape: Shape) -> Iterator[Problem]:
    seen: set[str] = set()
    for vertex in shape.vertices:
        path = f"nodes[{vertex.place}].id"
        if "." in vertex.id:
            yield Problem(CODE, path, "can't contain a dot: it separates a branch's conditions")
        if vertex.id == shape.trigger_id:
            yield Problem(CODE, path, "is the trigger's id: choose another one")
        if vertex.id in seen:
            yield Problem(CODE, path, f"{vertex.id!r} is the id of another node too")
        seen.add(vertex.id)
    if "." in shape.trigger_id and shape.trigger_id.partition(".")[0] in seen:
        yield Problem(CODE, "trigger.id", "reads as a node's condition: choose one without a dot")
    edges: set[str] = set()
    for link in shape.links:
        if link.id in edges:
            yield Problem(
                CODE, f"edges[{link.place}].id", f"{link.id!r} is the id of another edge too"
            )
        edges.add(link.id)


def _edge_problems(shape: Shape) -> Iterator[Problem]:
    vertices = {vertex.id: vertex for vertex in shape.vertices}
    leaves = False
    for link in shape.links:
        if link.target not in vertices and shape.whole:
            text = f"no node has the id {link.target[:128]!r}"
            yield Problem(CODE, f"edges[{link.place}].target", text)
        leaves = leaves or link.source == shape.trigger_id
        text = _source_problem(link.source, shape, vertices)
        if text:
            yield Problem(CODE, f"edges[{link.place}].source", text)
    if shape.whole and shape.links and not leaves:
        yield Problem(CODE, "edges", f"no edge leaves the trigger {shape.trigger_id[:128]!r}")


def _source_problem(source: str, shape: Shape, vertices: Mapping[str, Vertex]) -> str:
    if source == shape.trigger_id or source in vertices:
        return ""
    branch_id, dot, condition_id = source.partition(".")
    branch = vertices.get(branch_id)
    if branch is None or not dot:
        unknown = f"neither trigger nor node has the id {(branch_id if dot else source)[:128]!r}"
        return unknown if shape.whole else ""
    if branch.conditions is None or condition_id in branch.conditions:
        return ""
    if not branch.conditions:
        return f"{branch_id!r} is no branch: it has no conditions"
    return f"the branch {branch_id!r} has no condition {condition_id[:128]!r}"


def _children(shape: Shape) -> dict[str, list[str]]:
    """Distinct nodes that the trigger and each node lead to."""
    ids = {vertex.id for vertex in shape.vertices}
    children: dict[str, dict[str, None]] = {}
    for link in shape.links:
        source = link.source
        if source != shape.trigger_id and source not in ids:
            source = source.partition(".")[0]
        if link.target in ids and (source in ids or source == shape.trigger_id):
            children.setdefault(source, {})[link.target] = None
    return {source: list(targets) for source, targets in children.items()}


def _cycle_problems(shape: Shape) -> Iterator[Problem]:
    parents = parents_of(shape)
    stuck = parents.keys() - set(topological(parents))
    if not stuck:
        return
    ring = _ring(stuck, parents)
    shown = ring if len(ring) <= _MOST_NAMED else [*ring[:_MOST_NAMED], "…"]
    onward = dict(pairwise(ring))
    place = next(
        link.place
        for link in shape.links
        if onward.get(link.source.partition(".")[0]) == link.target
    )
    yield Problem(
        CODE, f"edges[{place}]", f"the nodes form a cycle: {' → '.join(shown)}: break it up"
    )


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


def _unreachable_problems(shape: Shape, children: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    reached: set[str] = set()
    ready = [shape.trigger_id]
    while ready:
        for child in children.get(ready.pop(), ()):
            if child not in reached:
                reached.add(child)
                ready.append(child)
    for vertex in shape.vertices:
        if vertex.id not in reached:
            text = f"no way from the trigger leads to the node {vertex.id!r}"
            yield Problem(CODE, f"nodes[{vertex.place}]", text)
