"""Execution headers as items and back."""

from __future__ import annotations

from typing import Any

from task_engine.aws.items import Item
from task_engine.model.execution import Execution, ExecutionStatus, RunContext
from task_engine.model.json_value import JsonValue
from task_engine.model.trigger import TriggerRecord, TriggerType

# Executions without a final status are found by the sweeper through this index; sharded, so that
# no partition takes the writes of all owners.
OPEN_SHARDS = 8


def open_shard(execution_id: str) -> str:
    """The shard of the `open` index an execution is in."""
    return f"open#{sum(execution_id.encode()) % OPEN_SHARDS}"


def record_to_json(record: TriggerRecord) -> dict[str, JsonValue]:
    """The canonical trigger record as a document."""
    return {
        "type": record.type.value,
        "data": record.data,
        "headers": record.headers,
        "pathParams": record.path_params,
        "variables": record.variables,
    }


def record_from_json(stored: dict[str, Any]) -> TriggerRecord:
    """The record that `record_to_json` wrote."""
    return TriggerRecord(
        type=TriggerType(stored["type"]),
        data=stored["data"],
        headers=stored["headers"],
        path_params=stored["pathParams"],
        variables=stored["variables"],
    )


def context_to_json(context: RunContext) -> dict[str, JsonValue]:
    """The run's context as an attribute."""
    return {
        "status": context.status,
        "executionCount": context.execution_count,
        "lastRanAt": context.last_ran_at,
        "completedAt": context.completed_at,
    }


def execution_from_item(item: Item, record: TriggerRecord) -> Execution:
    """The header of an item, with its trigger record (read apart, it may be in the blob store)."""
    context = item.get("context") or {}
    return Execution(
        id=item["id"],
        task_id=item["taskId"],
        owner=item["owner"],
        index=item["index"],
        status=ExecutionStatus(item["status"]),
        trigger=record,
        context=RunContext(
            status=context.get("status", ""),
            execution_count=context.get("executionCount", 0),
            last_ran_at=context.get("lastRanAt", 0),
            completed_at=context.get("completedAt", 0),
        ),
        start_at=item["startAt"],
        plan_version=item.get("planVersion", 1),
        end_at=item.get("endAt", 0),
        error=item.get("error", ""),
        chain_id=item.get("chainId", 0),
        skipped=tuple(item.get("skipped", ())),
        resumes=item.get("resumes", 0),
        resumed_at=item.get("resumedAt", 0),
        orphaned_at=item.get("orphanedAt", 0),
    )


NO_RECORD = TriggerRecord(type=TriggerType.MANUAL, data=None)
