"""What follows what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` is the trigger's id, a node's id, or `branchId.conditionId`; `target` a node's."""

    id: str
    source: str
    target: str
