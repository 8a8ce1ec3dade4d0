"""Definitions and plans as JSON and back, exactly."""

from __future__ import annotations

from typing import Any

from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonValue
from task_engine.model.node import Node, NodeType, Retry
from task_engine.model.plan import Lane, Plan, PlanNode, RunClass, Stage
from task_engine.model.task import Definition
from task_engine.model.trigger import Trigger, TriggerType

# What these functions read was written by their counterparts: a stored document of ours.
Stored = dict[str, Any]


def definition_to_json(definition: Definition) -> dict[str, JsonValue]:
    """`{trigger, nodes, edges, inputVariables}`."""
    return {
        "trigger": _trigger(definition.trigger),
        "nodes": [
            {
                "id": node.id,
                "name": node.name,
                "type": node.type.value,
                "config": dict(node.config),
                **_retry(node.retry),
                **_stops(node.stops),
            }
            for node in definition.nodes
        ],
        "edges": [[edge.id, edge.source, edge.target] for edge in definition.edges],
        "inputVariables": definition.input_variables,
    }


def definition_from_json(stored: Stored) -> Definition:
    """The definition that `definition_to_json` wrote."""
    return Definition(
        trigger=_trigger_from(stored["trigger"]),
        nodes=tuple(
            Node(
                n["id"],
                n["name"],
                NodeType(n["type"]),
                n["config"],
                _retry_from(n.get("retry")),
                n.get("stops", False),
            )
            for n in stored["nodes"]
        ),
        edges=tuple(Edge(*edge) for edge in stored["edges"]),
        input_variables=stored["inputVariables"],
    )


def plan_to_json(plan: Plan) -> dict[str, JsonValue]:
    """`{version, trigger, nodes, stages, runClass, inputVariables}`."""
    return {
        "version": plan.version,
        "trigger": _trigger(plan.trigger),
        "nodes": [_plan_node(node) for node in plan.nodes.values()],
        "stages": [
            {
                "fan": stage.fan,
                "lanes": [[list(lane.sources), list(lane.nodes)] for lane in stage.lanes],
            }
            for stage in plan.stages
        ],
        "runClass": plan.run_class.value,
        "inputVariables": plan.input_variables,
    }


def plan_from_json(stored: Stored) -> Plan:
    """The plan that `plan_to_json` wrote."""
    return Plan(
        trigger=_trigger_from(stored["trigger"]),
        nodes={n["id"]: _plan_node_from(n) for n in stored["nodes"]},
        stages=tuple(
            Stage(
                tuple(Lane(tuple(sources), tuple(nodes)) for sources, nodes in stage["lanes"]),
                stage["fan"],
            )
            for stage in stored["stages"]
        ),
        run_class=RunClass(stored["runClass"]),
        input_variables=stored["inputVariables"],
        version=stored["version"],
    )


def _trigger(trigger: Trigger) -> dict[str, JsonValue]:
    return {
        "id": trigger.id,
        "name": trigger.name,
        "type": trigger.type.value,
        "config": dict(trigger.config),
    }


def _trigger_from(stored: Stored) -> Trigger:
    return Trigger(stored["id"], stored["name"], TriggerType(stored["type"]), stored["config"])


def _plan_node(node: PlanNode) -> dict[str, JsonValue]:
    return {
        "id": node.id,
        "name": node.name,
        "type": node.type.value,
        "config": dict(node.config),
        "ordinal": node.ordinal,
        "reads": list(node.reads),
        "secrets": list(node.secrets),
        **_retry(node.retry),
        **_stops(node.stops),
    }


def _plan_node_from(stored: Stored) -> PlanNode:
    return PlanNode(
        id=stored["id"],
        name=stored["name"],
        type=NodeType(stored["type"]),
        config=stored["config"],
        ordinal=stored["ordinal"],
        reads=tuple(stored["reads"]),
        secrets=tuple(stored["secrets"]),
        retry=_retry_from(stored.get("retry")),
        stops=stored.get("stops", False),
    )


def _stops(stops: bool) -> dict[str, JsonValue]:
    return {"stops": True} if stops else {}


def _retry(retry: Retry | None) -> dict[str, JsonValue]:
    return {"retry": [retry.max_attempts, retry.backoff_seconds]} if retry else {}


def _retry_from(stored: list[Any] | None) -> Retry | None:
    return Retry(*stored) if stored else None
