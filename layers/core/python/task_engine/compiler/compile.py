"""Definition → plan: topological order, lanes, stages, and what each node reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from task_engine.compiler.references import References, references_of
from task_engine.errors import InvalidRequest
from task_engine.model.node import CHAIN_NODE_TYPES, Node, NodeType, variable_name
from task_engine.model.plan import Lane, Plan, PlanNode, RunClass, Stage
from task_engine.model.task import Definition

_NEVER_FANNED = frozenset({NodeType.LOOP, NodeType.AWAIT})
_ALWAYS_STANDARD = frozenset({NodeType.AWAIT, NodeType.CONTRACT_WRITE, NodeType.ETH_TRANSFER})
_HTTP = frozenset({NodeType.REST_API, NodeType.GRAPHQL_QUERY})
# An Express walk ends after 300 s; each HTTP node may take 30.
_MOST_HTTP_ON_EXPRESS = 9


@dataclass(frozen=True, slots=True)
class _Graph:
    """Distinct edges by node: `sources` as edges name them, `parents` and `children` as nodes."""

    sources: dict[str, list[str]]
    parents: dict[str, list[str]]
    children: dict[str, list[str]]
    conditional: frozenset[str]


def compile_definition(definition: Definition) -> Plan:
    """The plan of a definition; linear in nodes and edges, equal for equal definitions.

    Raises InvalidRequest for a cycle or an edge to an unknown node (`validate` reports those with
    their places; this is the last line for definitions that did not come through it).
    """
    nodes = {node.id: node for node in definition.nodes}
    graph = _graph(definition, nodes)
    order = _topological(list(nodes), graph)
    lanes = _lanes(order, nodes, graph, definition.trigger.id)
    return Plan(
        trigger=definition.trigger,
        nodes=_plan_nodes(order, nodes, graph),
        stages=_stages(lanes, nodes, graph),
        run_class=_run_class(order, nodes, graph),
        input_variables=definition.input_variables,
    )


def _graph(definition: Definition, nodes: dict[str, Node]) -> _Graph:
    sources: dict[str, dict[str, None]] = {node_id: {} for node_id in nodes}
    parents: dict[str, dict[str, None]] = {node_id: {} for node_id in nodes}
    children: dict[str, dict[str, None]] = {node_id: {} for node_id in nodes}
    conditional: set[str] = set()
    trigger = definition.trigger.id
    for edge in definition.edges:
        parent = edge.source if edge.source in nodes else edge.source.partition(".")[0]
        if edge.target not in nodes or (parent not in nodes and edge.source != trigger):
            raise InvalidRequest(f"edge {edge.id} leads from or to an unknown node")
        sources[edge.target][edge.source] = None
        if edge.source == trigger:
            continue
        parents[edge.target][parent] = None
        children[parent][edge.target] = None
        if edge.source != parent:
            conditional.add(parent)
    return _Graph(
        {key: list(value) for key, value in sources.items()},
        {key: list(value) for key, value in parents.items()},
        {key: list(value) for key, value in children.items()},
        frozenset(conditional),
    )


def _topological(ids: list[str], graph: _Graph) -> list[str]:
    """Kahn's algorithm, in the author's order where the edges leave a choice."""
    waiting = {node_id: len(graph.parents[node_id]) for node_id in ids}
    ready = deque(node_id for node_id in ids if waiting[node_id] == 0)
    order: list[str] = []
    while ready:
        node_id = ready.popleft()
        order.append(node_id)
        for child in graph.children[node_id]:
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    if len(order) < len(ids):
        ring = sorted(node_id for node_id, count in waiting.items() if count > 0)
        raise InvalidRequest(f"the nodes form a cycle: {', '.join(ring[:10])}")
    return order


def _lanes(order: list[str], nodes: dict[str, Node], graph: _Graph, trigger_id: str) -> list[Lane]:
    """Maximal chains without fork, join or branch, in topological order of their first nodes."""
    chains: list[list[str]] = []
    chain_of: dict[str, int] = {}
    for node_id in order:
        parent = _chained_to(node_id, nodes, graph)
        if parent is not None:
            chain_of[node_id] = chain_of[parent]
            chains[chain_of[parent]].append(node_id)
        else:
            chain_of[node_id] = len(chains)
            chains.append([node_id])
    return [
        # A node without any incoming edge is a root and runs with the trigger.
        Lane(tuple(graph.sources[chain[0]] or [trigger_id]), tuple(chain))
        for chain in chains
    ]


def _chained_to(node_id: str, nodes: dict[str, Node], graph: _Graph) -> str | None:
    """The parent whose lane goes on with this node, if there is one."""
    if len(graph.sources[node_id]) != 1 or len(graph.parents[node_id]) != 1:
        return None
    parent = graph.parents[node_id][0]
    if _may_emit_nothing(nodes[parent]) or parent in graph.conditional:
        return None
    return parent if graph.children[parent] == [node_id] else None


def _may_emit_nothing(node: Node) -> bool:
    """Whether what follows may have to be skipped: a lane that has begun is walked to its end."""
    return node.stops or node.type in (NodeType.BRANCH, NodeType.AWAIT)


def _stages(lanes: list[Lane], nodes: dict[str, Node], graph: _Graph) -> tuple[Stage, ...]:
    """Lanes by the length of the longest path of lanes that leads to them."""
    depth: dict[str, int] = {}
    levels: list[list[Lane]] = []
    for lane in lanes:
        parents = graph.parents[lane.nodes[0]]
        level = 1 + max((depth[parent] for parent in parents), default=-1)
        depth.update(dict.fromkeys(lane.nodes, level))
        if level == len(levels):
            levels.append([])
        levels[level].append(lane)
    return tuple(
        Stage(
            tuple(level),
            fan=all(
                len(lane.nodes) == 1 and nodes[lane.nodes[0]].type not in _NEVER_FANNED
                for lane in level
            ),
        )
        for level in levels
    )


def _plan_nodes(order: list[str], nodes: dict[str, Node], graph: _Graph) -> dict[str, PlanNode]:
    """Nodes with what they read: outputs of ancestors that their configuration names."""
    ordinals = {node_id: place for place, node_id in enumerate(order, start=1)}
    names = _Names(nodes.values())
    # One bit per node: the union of ancestors stays cheap for thousands of nodes.
    before: dict[str, int] = {}
    planned: dict[str, PlanNode] = {}
    for node_id in order:
        mask = 0
        for parent in graph.parents[node_id]:
            mask |= before[parent] | 1 << ordinals[parent]
        before[node_id] = mask
        node = nodes[node_id]
        found = references_of(node.config)
        planned[node_id] = PlanNode(
            id=node.id,
            name=node.name,
            type=node.type,
            config=node.config,
            ordinal=ordinals[node_id],
            reads=_reads(found, names, ordinals, mask),
            secrets=found.secrets,
            retry=node.retry,
            stops=node.stops,
        )
    return planned


class _Names:
    """Which nodes an identifier may mean. Templates reach `fetch_price` as `fetchPrice` too, so
    without an exact match all that differ in case and underscores only are meant."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._exact: dict[str, str] = {}
        self._alike: dict[str, list[str]] = {}
        for node in nodes:
            name = variable_name(node.name, node.id)
            self._exact[name] = node.id
            self._alike.setdefault(_folded(name), []).append(node.id)

    def meant(self, identifier: str) -> Iterable[str]:
        """Ids of nodes."""
        exact = self._exact.get(identifier)
        return (exact,) if exact is not None else self._alike.get(_folded(identifier), ())


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _reads(
    found: References, names: _Names, ordinals: dict[str, int], mask: int
) -> tuple[str, ...]:
    meant = {node_id for name in found.identifiers for node_id in names.meant(name)}
    upstream = [node_id for node_id in meant if mask >> ordinals[node_id] & 1]
    return tuple(sorted(upstream, key=ordinals.__getitem__))


def _run_class(order: list[str], nodes: dict[str, Node], graph: _Graph) -> RunClass:
    """Express unless a run may take longer than its five minutes, or must not start twice."""
    longest: dict[str, int] = {}
    for node_id in order:
        node = nodes[node_id]
        if node.type in _ALWAYS_STANDARD or _long_loop(node):
            return RunClass.STANDARD
        waits = max((longest[parent] for parent in graph.parents[node_id]), default=0)
        longest[node_id] = waits + (node.type in _HTTP)
    most = max(longest.values(), default=0)
    return RunClass.STANDARD if most > _MOST_HTTP_ON_EXPRESS else RunClass.EXPRESS


def _long_loop(node: Node) -> bool:
    """Whether a loop's items go one after another over the network, or must not be sent twice."""
    if node.type is not NodeType.LOOP:
        return False
    runner = node.config.get("runner")
    kind = runner.get("type") if isinstance(runner, dict) else None
    if kind == NodeType.CUSTOM_CODE.value:
        return False
    mode = str(node.config.get("executionMode") or "").strip().lower()
    # What speaks to a chain is never run in parallel, whatever the mode says.
    return mode != "parallel" or kind in CHAIN_NODE_TYPES
