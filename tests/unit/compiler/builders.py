"""Create requests and definitions, in few words."""

from __future__ import annotations

from typing import Any

import pytest
from task_engine.compiler.rules import SyntaxCheck, ValidationRules
from task_engine.compiler.validate import TaskDraft, validate_task
from task_engine.config import Limits
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.edge import Edge
from task_engine.model.node import Node, NodeType
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerType

NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOUR_MS = 3_600_000
RUNNER = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
SEPOLIA = 11155111

Json = Any
Place = tuple[str, str]


def code(node_id: str, source: str = "return 1", **fields: Json) -> dict[str, Json]:
    """A customCode node named as its id."""
    return node(node_id, "customCode", {"lang": "javascript", "source": source}, **fields)


def node(node_id: str, kind: str, config: Json, **fields: Json) -> dict[str, Json]:
    """Any node, named as its id."""
    return {"id": node_id, "name": node_id, "type": kind, "config": config, **fields}


def arrows(*pairs: Place) -> list[dict[str, Json]]:
    """Edges by (source, target)."""
    return [{"id": f"e{i}", "source": s, "target": t} for i, (s, t) in enumerate(pairs)]


def body(**changes: Json) -> dict[str, Json]:
    """A correct request: trigger `t` (manual, named start) → node `a`."""
    return {
        "smartWalletAddress": RUNNER,
        "trigger": {"id": "t", "name": "start", "type": "manual", "config": {"lang": "json"}},
        "nodes": [code("a")],
        "edges": arrows(("t", "a")),
        "inputVariables": {"settings": {"runner": RUNNER}},
        **changes,
    }


def with_trigger(kind: str, config: Json, **variables: Json) -> dict[str, Json]:
    """A request with another trigger, still `t` and named start."""
    return body(
        trigger={"id": "t", "name": "start", "type": kind, "config": config},
        inputVariables={"settings": {"runner": RUNNER}, **variables},
    )


def with_node(kind: str, config: Json) -> dict[str, Json]:
    """A request with one node, `a`."""
    return body(nodes=[node("a", kind, config)])


def rules(syntax_check: SyntaxCheck | None = None, **limits: int) -> ValidationRules:
    """The default limits but for those given; one chain is configured."""
    return ValidationRules(Limits(**limits), frozenset({SEPOLIA}), NOW_MS, syntax_check)


def accepted(request: Json, allowed: ValidationRules | None = None) -> TaskDraft:
    """The draft of a request that must be accepted."""
    return validate_task(request, allowed or rules())


def refused(request: Json, allowed: ValidationRules | None = None) -> tuple[Problem, ...]:
    """The problems of a request that must be refused."""
    with pytest.raises(InvalidRequest) as caught:
        validate_task(request, allowed or rules())
    assert caught.value.problems
    return caught.value.problems


def places(request: Json, allowed: ValidationRules | None = None) -> set[Place]:
    """(path, code) of every problem of a request that must be refused."""
    return {(problem.path, problem.code) for problem in refused(request, allowed)}


def definition(nodes: list[Node], *pairs: Place) -> Definition:
    """A definition under the manual trigger `t`."""
    edges = tuple(Edge(f"e{i}", source, target) for i, (source, target) in enumerate(pairs))
    return Definition(Trigger("t", "start", TriggerType.MANUAL, {}), tuple(nodes), edges)


def plain(node_id: str, source: str = "return 1") -> Node:
    """A customCode node named as its id."""
    return Node(node_id, node_id, NodeType.CUSTOM_CODE, {"source": source})


def typed(node_id: str, kind: NodeType, **config: Json) -> Node:
    """Any node named as its id."""
    return Node(node_id, node_id, kind, config)
