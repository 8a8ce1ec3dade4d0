"""Which nodes come before which, read off a plan's stages."""

from __future__ import annotations

from task_engine.model.plan import Plan


def ancestors(plan: Plan) -> dict[str, frozenset[str]]:
    """Ids of all nodes that can reach each node, the trigger left out."""
    found: dict[str, frozenset[str]] = {}
    for stage in plan.stages:
        for lane in stage.lanes:
            # A source is a node's id or `branchId.conditionId`; node ids have no dot.
            before = {source.partition(".")[0] for source in lane.sources} - {plan.trigger.id}
            for node_id in lane.nodes:
                inherited = (found.get(parent, frozenset()) for parent in before)
                found[node_id] = frozenset(before).union(*inherited)
                before = {node_id}
    return found
