"""The part of the state machine's input that comes from the plan."""

from __future__ import annotations

from task_engine.model.json_value import JsonValue
from task_engine.model.plan import Lane, Plan


def walk_input(plan: Plan) -> dict[str, JsonValue]:
    """`{trigger, stages: [{fan, lanes: [{sources, nodes: [{id, type}]}]}]}`: ids only."""
    return {
        "trigger": plan.trigger.id,
        "stages": [
            {"fan": stage.fan, "lanes": [_lane(plan, lane) for lane in stage.lanes]}
            for stage in plan.stages
        ],
    }


def _lane(plan: Plan, lane: Lane) -> JsonValue:
    return {
        "sources": list(lane.sources),
        "nodes": [{"id": node, "type": plan.nodes[node].type.value} for node in lane.nodes],
    }
