"""The part of the state machine's input that comes from the plan."""

from __future__ import annotations

from task_engine.model.json_value import JsonValue
from task_engine.model.node import WRITE_NODE_TYPES, NodeType
from task_engine.model.plan import Lane, Plan, PlanNode

CHAIN_LOOP = "chainLoop"


def walk_input(plan: Plan) -> dict[str, JsonValue]:
    """`{trigger, stages: [{fan, lanes: [{sources, nodes: [{id, type}]}]}]}`: ids only."""
    return {
        "trigger": plan.trigger.id,
        "stages": [
            {"fan": stage.fan, "lanes": [_lane(plan, lane) for lane in stage.lanes]}
            for stage in plan.stages
        ],
    }


def _function(node: PlanNode) -> str:
    """Which function runs it: loops that write on chain have one of their own, which may sign."""
    runner = node.config.get("runner")
    kind = runner.get("type") if isinstance(runner, dict) else None
    writes = node.type is NodeType.LOOP and kind in WRITE_NODE_TYPES
    return CHAIN_LOOP if writes else node.type.value


def _lane(plan: Plan, lane: Lane) -> JsonValue:
    return {
        "sources": list(lane.sources),
        "nodes": [{"id": node, "type": _function(plan.nodes[node])} for node in lane.nodes],
    }
