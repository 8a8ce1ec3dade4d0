"""What every processor is given, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from task_engine.model.execution import Outcome
from task_engine.model.plan import PlanNode
from task_engine.template.scope import Origin, Scope, StateStore

__all__ = ["Origin", "Processor", "ProcessorFactory", "Scope", "StateStore"]


class Processor(Protocol):
    """Runs one node type. Raises NodeError (or returns an Outcome with an error); no I/O but
    through what it was built with."""

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        """Do the node's work once."""

    def replay_safe(self, node: PlanNode) -> bool:
        """Whether running again is harmless when an earlier attempt died with its outcome unknown
        (a GET is; a POST is not: such a step fails rather than send twice)."""


ProcessorFactory = Callable[[], Processor]
