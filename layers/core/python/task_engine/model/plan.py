"""The compiled task: what the walker walks and what each processor loads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from task_engine.model.json_value import JsonObject, JsonValue
from task_engine.model.node import NodeType, Retry
from task_engine.model.trigger import Trigger


class RunClass(StrEnum):
    """Which state machine walks the plan."""

    EXPRESS = "express"
    STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A node with what it reads.

    `ordinal` is its place in topological order and orders its step's key; 0 is the trigger.
    `reads` are ids of upstream nodes whose output it uses; `secrets` the names of secrets it uses.
    """

    id: str
    name: str
    type: NodeType
    config: JsonObject
    ordinal: int
    reads: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    retry: Retry | None = None
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A chain of nodes without fork or join; runs if any token in `sources` was emitted."""

    sources: tuple[str, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Lanes of equal depth. `fan` says that every lane is one node that never needs chunks."""

    lanes: tuple[Lane, ...]
    fan: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What the compiler makes of a definition; stored beside it and as immutable."""

    trigger: Trigger
    nodes: dict[str, PlanNode]
    stages: tuple[Stage, ...]
    run_class: RunClass
    input_variables: dict[str, JsonValue]
    version: int = 1
