"""Tasks: workflows on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field

from task_engine_client.document import Document, Json, mapping, objects, text, whole


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a workflow."""

    id: str
    name: str
    type: str
    config: Document


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of work."""

    id: str
    name: str
    type: str
    config: Document


@dataclass(frozen=True, slots=True)
class Edge:
    """An order between two nodes; `source` may be `branchId.conditionId`."""

    id: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Workflow:
    """A stored workflow. Times in ms since the epoch; `raw` is the whole document as it came."""

    id: str
    owner: str
    wallet: str
    name: str
    status: str
    trigger: Trigger
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    input_variables: Document
    execution_count: int
    remaining_executions: int | None
    max_execution: int | None
    created_at: int | None
    expired_at: int | None
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Workflow:
        """The workflow of a document."""
        trigger = mapping(document, "trigger")
        return cls(
            id=text(document, "id"),
            owner=text(document, "owner"),
            wallet=text(document, "smartWalletAddress"),
            name=text(document, "name"),
            status=text(document, "status"),
            trigger=Trigger(
                text(trigger, "id"),
                text(trigger, "name"),
                text(trigger, "type"),
                mapping(trigger, "config"),
            ),
            nodes=tuple(_node(node) for node in objects(document, "nodes")),
            edges=tuple(_edge(edge) for edge in objects(document, "edges")),
            input_variables=mapping(document, "inputVariables"),
            execution_count=whole(document, "executionCount") or 0,
            remaining_executions=whole(document, "remainingExecutions"),
            max_execution=whole(document, "maxExecution"),
            created_at=whole(document, "createdAt"),
            expired_at=whole(document, "expiredAt"),
            raw=document,
        )

    def definition(self) -> dict[str, Json]:
        """What a create request takes: the document without what the server added."""
        kept = {name: self.raw[name] for name in _DEFINITION if name in self.raw}
        variables = dict(self.input_variables)
        settings = variables.get("settings")
        if isinstance(settings, dict):
            own = {name: settings[name] for name in settings if name not in _SERVER_SETTINGS}
            variables["settings"] = own
        if variables:
            kept["inputVariables"] = variables
        return kept


_DEFINITION = (
    "name",
    "smartWalletAddress",
    "trigger",
    "nodes",
    "edges",
    "startAt",
    "expiredAt",
    "maxExecution",
)
_SERVER_SETTINGS = frozenset({"id", "owner", "name", "startAt", "expiredAt", "maxExecution"})


def _node(document: Document) -> Node:
    return Node(
        text(document, "id"),
        text(document, "name"),
        text(document, "type"),
        mapping(document, "config"),
    )


def _edge(document: Document) -> Edge:
    return Edge(text(document, "id"), text(document, "source"), text(document, "target"))
