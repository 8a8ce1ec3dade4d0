"""A case: a task, how it is triggered, and what its execution must look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = Any


@dataclass(frozen=True)
class Servers:
    """Base URLs of the real counterparts."""

    http: str
    graphql: str


@dataclass(frozen=True)
class Seen:
    """An execution as the API shows it."""

    execution: dict[str, Json]

    @property
    def status(self) -> str:
        return str(self.execution["status"])

    @property
    def error(self) -> str:
        return str(self.execution.get("error", ""))

    @property
    def names(self) -> list[str]:
        """Names of the executed nodes, the trigger left out."""
        return [step["name"] for step in self.execution["steps"][1:]]

    def step(self, name: str) -> dict[str, Json]:
        found = [step for step in self.execution["steps"] if step.get("name") == name]
        assert len(found) == 1, f"{name} ran {len(found)} times, of {self.names}"
        return found[0]

    def data(self, name: str) -> Json:
        """`output.data` of a step."""
        return self.step(name)["output"]["data"]


@dataclass(frozen=True)
class Case:
    """`nodes` and `edges` may be functions of the servers; `check` gets what was seen."""

    name: str
    nodes: Callable[[Servers], list[dict[str, Json]]]
    edges: list[tuple[str, str]]
    check: Callable[[Seen], None]
    data: Json = None
    config: dict[str, Json] = field(default_factory=dict)
    call: dict[str, Json] = field(default_factory=dict)
    variables: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    runs: int = 1

    def body(self, servers: Servers, runner: str) -> dict[str, Json]:
        """The create request: a manual trigger `start`, the nodes, edges named in order."""
        return {
            "smartWalletAddress": runner,
            "trigger": {
                "id": "t",
                "name": "start",
                "type": "manual",
                "config": {"lang": "json", "data": self.data or {"given": True}, **self.config},
            },
            "nodes": self.nodes(servers),
            "edges": [
                {"id": f"e{i}", "source": source, "target": target}
                for i, (source, target) in enumerate(self.edges)
            ],
            "inputVariables": {"settings": {"runner": runner, "name": "case"}, **self.variables},
        }


def code(node_id: str, source: str) -> dict[str, Json]:
    """A customCode node named as its id."""
    return {
        "id": node_id,
        "name": node_id,
        "type": "customCode",
        "config": {"lang": "javascript", "source": source},
    }


def branch(node_id: str, *conditions: tuple[str, str, str]) -> dict[str, Json]:
    """A branch of (id, type, expression)."""
    listed = [{"id": c, "type": kind, "expression": text} for c, kind, text in conditions]
    return {"id": node_id, "name": node_id, "type": "branch", "config": {"conditions": listed}}


def rest(node_id: str, url: str, **config: Json) -> dict[str, Json]:
    """A restApi node; GET unless said otherwise."""
    return {
        "id": node_id,
        "name": node_id,
        "type": "restApi",
        "config": {"url": url, "method": "GET", **config},
    }


def graphql(node_id: str, url: str, query: str, **config: Json) -> dict[str, Json]:
    """A graphqlQuery node."""
    return {
        "id": node_id,
        "name": node_id,
        "type": "graphqlQuery",
        "config": {"url": url, "query": query, **config},
    }


def keep(node_id: str, items: str, expression: str) -> dict[str, Json]:
    """A filter node."""
    return {
        "id": node_id,
        "name": node_id,
        "type": "filter",
        "config": {"inputVariable": items, "expression": expression},
    }


def loop(node_id: str, items: str, runner: dict[str, Json], **config: Json) -> dict[str, Json]:
    """A loop node over `items`; the item is `value`, its position `index`."""
    inner = {"type": runner["type"], "config": runner["config"]}
    return {
        "id": node_id,
        "name": node_id,
        "type": "loop",
        "config": {
            "inputVariable": items,
            "iterVal": "value",
            "iterKey": "index",
            "runner": inner,
            **config,
        },
    }
