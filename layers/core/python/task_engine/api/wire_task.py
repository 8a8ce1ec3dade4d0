"""Tasks as the contract's Workflow documents; unset fields are absent."""

from __future__ import annotations

from task_engine.model.edge import Edge
from task_engine.model.json_value import JsonValue
from task_engine.model.node import Node
from task_engine.model.task import Task
from task_engine.model.trigger import Trigger


def task_json(task: Task, *, with_variables: bool = True) -> dict[str, JsonValue]:
    """A Workflow; rows of a list leave `inputVariables` out."""
    definition = task.definition
    document: dict[str, JsonValue] = {
        "id": task.id,
        "owner": task.owner,
        "smartWalletAddress": task.wallet,
        "trigger": _trigger_json(definition.trigger),
        "nodes": [_node_json(node) for node in definition.nodes],
        "edges": [_edge_json(edge) for edge in definition.edges],
        "status": task.status.value,
    }
    if with_variables:
        document["inputVariables"] = dict(definition.input_variables)
    remaining = task.remaining_executions
    if remaining is not None:
        document["remainingExecutions"] = remaining
    document.update({name: value for name, value in _optional(task).items() if value})
    return document


def _optional(task: Task) -> dict[str, JsonValue]:
    reason = task.completion_reason
    return {
        "name": task.name,
        "startAt": task.start_at,
        "expiredAt": task.expired_at,
        "maxExecution": task.max_execution,
        "executionCount": task.execution_count,
        "completionReason": reason.value if reason else "",
        "statusReason": task.note,
        "createdAt": task.created_at,
        "completedAt": task.completed_at,
    }


def _trigger_json(trigger: Trigger) -> JsonValue:
    return {
        "id": trigger.id,
        "name": trigger.name,
        "type": trigger.type.value,
        "config": dict(trigger.config),
    }


def _node_json(node: Node) -> JsonValue:
    document: dict[str, JsonValue] = {
        "id": node.id,
        "name": node.name,
        "type": node.type.value,
        "config": dict(node.config),
    }
    if node.retry is not None:
        document["retry"] = {
            "maxAttempts": node.retry.max_attempts,
            "backoffSeconds": node.retry.backoff_seconds,
        }
    if node.stops:
        document["onError"] = "stop"
    return document


def _edge_json(edge: Edge) -> JsonValue:
    return {"id": edge.id, "source": edge.source, "target": edge.target}
