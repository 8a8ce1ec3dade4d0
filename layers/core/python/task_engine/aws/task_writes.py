"""Writes on tasks that stand in several transactions."""

from __future__ import annotations

from task_engine.aws.dynamo import Update
from task_engine.aws.task_codec import due_shard, task_key
from task_engine.model.task import Task


def count_update(table: str, owner: str, step: int, max_active: int = 0) -> Update:
    """The owner's number of enabled tasks, plus `step`, bounded by `max_active` (0 = unbounded)."""
    bounded = step > 0 and max_active > 0
    return Update(
        table,
        {"owner": owner, "sk": "count"},
        "ADD #enabled :step",
        {"step": step, **({"most": max_active} if bounded else {})},
        "attribute_not_exists(#enabled) OR #enabled < :most" if bounded else "",
    )


def status_update(table: str, task: Task, changed: Task) -> Update:
    """From the status of `task` to that of `changed`, with its index entry, completion and false
    starts; none of these is counted twice or lost."""
    shard = due_shard(changed)
    sets = ["#status = :status", "#completedAt = :completed", "#note = :note"]
    values: dict[str, object] = {
        "status": changed.status.value,
        "completed": changed.completed_at,
        "before": task.status.value,
        "note": changed.note,
    }
    condition = "#status = :before"
    if changed.check_version:
        sets.append("#checkVersion = :check")
        values["check"] = changed.check_version
    if task.check_version:
        condition += " AND #checkVersion = :known"
        values["known"] = task.check_version
    if changed.completion_reason:
        sets.append("#completionReason = :reason")
        values["reason"] = changed.completion_reason.value
    if changed.false_starts != task.false_starts:
        sets += ["#falseStarts = :starts", "#falseStart = :start"]
        values |= {"starts": changed.false_starts, "start": changed.false_start}
    if changed.false_starts > task.false_starts:
        condition += " AND (attribute_not_exists(#falseStarts) OR #falseStarts = :counted)"
        values["counted"] = task.false_starts
    if shard:
        sets.append("#dueShard = :shard")
        values["shard"] = shard
    expression = f"SET {', '.join(sets)}" + ("" if shard else " REMOVE #dueShard")
    key = {"owner": task.owner, "sk": task_key(task.id)}
    return Update(table, key, expression, values, condition)
