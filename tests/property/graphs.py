"""Random tasks: any acyclic graph that validation would accept."""

from __future__ import annotations

import random

from task_engine.model.edge import Edge
from task_engine.model.node import Node, NodeType
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerType

TRIGGER = Trigger("t", "start", TriggerType.MANUAL, {})


def random_definition(seed: int) -> Definition:
    """Up to 14 nodes, a third of them branches of two or three arms, edges forwards only."""
    chance = random.Random(seed)
    count = chance.randint(1, 14)
    nodes = [_node(f"n{i}", chance) for i in range(count)]
    edges: list[tuple[str, str]] = []
    for place, node in enumerate(nodes):
        sources = [s for before in nodes[:place] for s in _sources(before)] + ["t"]
        for _ in range(chance.randint(1, 3)):
            edges.append((chance.choice(sources), node.id))
    numbered = tuple(Edge(f"e{i}", source, target) for i, (source, target) in enumerate(edges))
    return Definition(TRIGGER, tuple(nodes), numbered, {})


def _node(node_id: str, chance: random.Random) -> Node:
    if chance.random() < 1 / 3:
        arms = [f"c{i}" for i in range(chance.randint(2, 3))]
        config = {"conditions": [{"id": arm, "type": "if", "expression": "x"} for arm in arms]}
        return Node(node_id, node_id, NodeType.BRANCH, config)
    return Node(node_id, node_id, NodeType.CUSTOM_CODE, {"source": "return 1"})


def _sources(node: Node) -> list[str]:
    return [node.id, *(f"{node.id}.{arm}" for arm in arms_of(node))]


def arms_of(node: Node) -> list[str]:
    """Condition ids of a branch."""
    listed = node.config.get("conditions")
    return [str(c["id"]) for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []


def chosen_arms(definition: Definition, seed: int) -> dict[str, list[str]]:
    """For each branch the arm that it takes, or none."""
    chance = random.Random(seed + 1)
    return {
        node.id: chance.choice([[], *([arm] for arm in arms_of(node))])
        for node in definition.nodes
        if node.type is NodeType.BRANCH
    }


def expected_tokens(definition: Definition, arms: dict[str, list[str]]) -> set[str]:
    """By the rule itself: a node runs if one of its edges fired, and then its edges fire."""
    tokens = {"t"}
    # Nodes stand in an order in which edges lead forwards only.
    for node in definition.nodes:
        sources = {edge.source for edge in definition.edges if edge.target == node.id}
        if sources & tokens:
            tokens |= {node.id, *(f"{node.id}.{arm}" for arm in arms.get(node.id, []))}
    return tokens
