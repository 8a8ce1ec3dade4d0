"""What a task does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from task_engine.model.json_value import JsonObject


class NodeType(StrEnum):
    """Node kinds, by their words on the wire (create accepts `graphql` for `graphqlQuery`)."""

    REST_API = "restApi"
    GRAPHQL_QUERY = "graphqlQuery"
    CUSTOM_CODE = "customCode"
    BRANCH = "branch"
    FILTER = "filter"
    LOOP = "loop"
    CONTRACT_READ = "contractRead"
    CONTRACT_WRITE = "contractWrite"
    ETH_TRANSFER = "ethTransfer"
    BALANCE = "balance"
    AWAIT = "await"


CHAIN_NODE_TYPES = frozenset(
    {NodeType.CONTRACT_READ, NodeType.CONTRACT_WRITE, NodeType.ETH_TRANSFER, NodeType.BALANCE}
)
WRITE_NODE_TYPES = frozenset({NodeType.CONTRACT_WRITE, NodeType.ETH_TRANSFER})

# What edges may leave an await node by, besides its plain id.
AWAIT_CONDITIONS = frozenset({"approved", "rejected", "timeout"})


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a node is tried in all, and the seconds before the second try (then doubled)."""

    max_attempts: int = 1
    backoff_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its author wrote it; `config` is checked per type at create. When one that `stops`
    fails, what follows it is skipped."""

    id: str
    name: str
    type: NodeType
    config: JsonObject
    retry: Retry | None = None
    stops: bool = False


_OUTSIDE = re.compile(r"[^A-Za-z0-9_]+")


def variable_name(name: str, node_id: str = "") -> str:
    """The variable a trigger's or node's output is read by: its name, made a plain identifier."""
    text = _OUTSIDE.sub("_", name or node_id).strip("_")
    if not text:
        return "unnamed_trigger"
    return f"trigger_{text}" if text[0].isdigit() else text
