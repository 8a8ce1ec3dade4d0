"""Tasks as items and back."""

from __future__ import annotations

from task_engine.aws.items import Item
from task_engine.aws.packed import Packer
from task_engine.aws.stored import reading
from task_engine.model.codec import definition_from_json, definition_to_json
from task_engine.model.task import CompletionReason, Task, TaskStatus

_LIVE = (TaskStatus.ENABLED, TaskStatus.DISABLED)
DUE_SHARDS = 8


def task_key(task_id: str) -> str:
    """Range key of a task in the tasks table."""
    return f"task#{task_id}"


def due_shard(task: Task) -> str | None:
    """The shard of the `due` index; None for a task that never expires or is over."""
    if task.expired_at <= 0 or task.status not in _LIVE:
        return None
    return f"due#{sum(task.id.encode()) % DUE_SHARDS}"


def task_to_item(task: Task, packer: Packer) -> Item:
    """A whole item."""
    shard = due_shard(task)
    return {
        "owner": task.owner,
        "sk": task_key(task.id),
        "id": task.id,
        "name": task.name,
        "wallet": task.wallet,
        "status": task.status.value,
        "definition": packer.pack(definition_to_json(task.definition), f"tasks/{task.id}"),
        "version": task.version,
        "createdAt": task.created_at,
        "startAt": task.start_at,
        "expiredAt": task.expired_at,
        "maxExecution": task.max_execution,
        "executionCount": task.execution_count,
        "lastRanAt": task.last_ran_at,
        "completedAt": task.completed_at,
        **({"dueShard": shard} if shard else {}),
        **({"checkVersion": task.check_version} if task.check_version else {}),
    }


def task_from_item(item: Item, packer: Packer) -> Task:
    """The task of an item; raises Corrupted."""
    with reading("workflow"):
        return _read(item, packer)


def _read(item: Item, packer: Packer) -> Task:
    reason = item.get("completionReason")
    return Task(
        id=item["id"],
        owner=item["owner"],
        wallet=item["wallet"],
        name=item["name"],
        definition=definition_from_json(packer.unpack(item["definition"])),
        status=TaskStatus(item["status"]),
        created_at=item["createdAt"],
        version=item["version"],
        start_at=item["startAt"],
        expired_at=item["expiredAt"],
        max_execution=item["maxExecution"],
        execution_count=item["executionCount"],
        last_ran_at=item["lastRanAt"],
        completed_at=item.get("completedAt", 0),
        completion_reason=CompletionReason(reason) if reason else None,
        check_version=item.get("checkVersion", 0),
        cooled_until=item.get("cooledUntil", 0),
        note=item.get("note", ""),
        false_starts=item.get("falseStarts", 0),
        false_start=item.get("falseStart", ""),
    )
