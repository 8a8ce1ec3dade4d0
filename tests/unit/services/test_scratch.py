"""Runs in one process: what all of their nodes share."""

from __future__ import annotations

from dataclasses import replace

from task_engine.clock import SystemClock
from task_engine.config import Limits
from task_engine.model.execution import ExecutionStatus, Outcome
from task_engine.model.node import NodeType
from task_engine.model.plan import Lane, PlanNode, Stage
from task_engine.processors.base import Scope
from task_engine.services.scratch import ScratchRuns

from tests.unit.run.stores import RUN, a_run


class Caller:
    """Asks two things of a chain."""

    def run(self, node: PlanNode, scope: Scope) -> Outcome:
        scope.calls.spend(2)
        return Outcome(data=node.id)

    def replay_safe(self, node: PlanNode) -> bool:
        return True


def test_the_nodes_of_a_simulation_have_one_budget_of_calls() -> None:
    # Given a run of two nodes that ask two things of a chain each
    run = a_run(kind=NodeType.CONTRACT_READ)
    one_node = run.plan(RUN)
    execution = run.load(RUN, (), ()).execution
    first = one_node.nodes["n"]
    second = replace(first, id="m", name="m", ordinal=first.ordinal + 1)
    stages = (Stage((Lane(("t",), ("n", "m")),), False),)
    plan = replace(one_node, nodes={"n": first, "m": second}, stages=stages)
    limits = Limits(max_chain_calls=3)
    runs = ScratchRuns({NodeType.CONTRACT_READ: Caller}, limits, SystemClock())
    # When it may ask three, twice
    for _ in range(2):
        ended = runs.walk(plan, execution, {}, 30.0)
        # Then the second node is refused, each time anew
        assert ended.status is ExecutionStatus.FAILED
        told = {step.node_id: step.outcome.error for step in ended.steps}
        assert told["n"] is None
        assert told["m"] is not None
        assert told["m"].code == "QUOTA_EXCEEDED"
