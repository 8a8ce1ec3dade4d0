"""Whether a deployment's parts agree with each other, and mending what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from task_engine.aws.check_writes import CheckWrites
from task_engine.aws.dynamo import Query, Update
from task_engine.aws.items import from_item
from task_engine.aws.schedules import schedule_names
from task_engine.aws.task_codec import task_from_item
from task_engine.errors import ConditionFailed, Corrupted
from task_engine.ids import is_id
from task_engine.model.task import Task, TaskStatus

from infra_cdk.ops.engine import Engine

_DRIFT_MS = 60_000
_MOST_OPEN = 100_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree; `mend` makes it agree and tells whether it did."""

    kind: str
    about: str
    detail: str
    mend: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A task's row that can't be read, and why; `status` as it stands there."""

    id: str
    owner: str
    status: str
    why: str


_Tasks = Mapping[str, Task | Unreadable]


def findings(engine: Engine) -> Iterator[Finding]:
    """Everything that does not agree. What changes while this reads is looked at again before it
    is mended, so a deployment need not stand still."""
    tasks = {task.id: task for task in all_tasks(engine)}
    for task in tasks.values():
        if isinstance(task, Unreadable):
            # What hangs on it is left alone: nobody knows what it should be.
            yield Finding("unreadable task", task.id, f"of {task.owner}: {task.why}", _in_vain)
    yield from _counts(engine, tasks)
    yield from _schedules(engine, tasks)
    yield from _checks(engine, tasks)


def all_tasks(engine: Engine) -> Iterator[Task | Unreadable]:
    """Tasks of all owners."""
    for item in engine.scan(engine.settings.name("TABLE_TASKS")):
        if item["sk"]["S"].startswith("task#"):
            row = from_item(item)
            try:
                yield task_from_item(row, engine.packer)
            except Corrupted as error:
                name = str(row["sk"]).removeprefix("task#")
                yield Unreadable(name, str(row["owner"]), str(row.get("status")), error.message)


def _in_vain() -> bool:
    """By hand, from a back-up, or never."""
    return False


def _counts(engine: Engine, tasks: _Tasks) -> Iterator[Finding]:
    """The number that bounds an owner's enabled tasks, and how many there are."""
    enabled = Counter(task.owner for task in tasks.values() if task.status == TaskStatus.ENABLED)
    table = engine.settings.name("TABLE_TASKS")
    counted = {
        item["owner"]["S"]: int(item["enabled"]["N"])
        for item in engine.scan(table)
        if item["sk"]["S"] == "count" and "enabled" in item
    }
    for owner in sorted(enabled.keys() | counted.keys()):
        if enabled[owner] != counted.get(owner, 0):
            text = f"counted {counted.get(owner, 0)}, enabled {enabled[owner]}"
            yield Finding("count", owner, text, partial(_recount, engine, owner))


def _recount(engine: Engine, owner: str) -> bool:
    table, key = engine.settings.name("TABLE_TASKS"), {"owner": owner, "sk": "count"}
    before = (engine.dynamo.get(table, key) or {}).get("enabled", 0)
    query = Query(
        table,
        "#owner = :owner AND begins_with(#sk, :edge)",
        {"owner": owner, "edge": "task#", "enabled": TaskStatus.ENABLED.value},
        filter="#status = :enabled",
        consistent=True,
    )
    now = engine.dynamo.count(query)
    update = Update(
        table,
        key,
        "SET #enabled = :now",
        {"now": now, "before": before},
        "attribute_not_exists(#enabled) OR #enabled = :before",
    )
    try:
        engine.dynamo.update(update)
    except ConditionFailed:
        return False
    return True


def _schedules(engine: Engine, tasks: _Tasks) -> Iterator[Finding]:
    """Schedules that nobody waits for, and tasks that have too few."""
    now = engine.clock.now_ms()
    group = engine.settings.name("SCHEDULE_GROUP")
    client = engine.deployment.client("scheduler")
    pages = client.get_paginator("list_schedules").paginate(GroupName=group)
    there = {schedule["Name"] for page in pages for schedule in page["Schedules"]}
    expected: dict[str, Task] = {}
    for task in tasks.values():
        if isinstance(task, Task) and task.status is TaskStatus.ENABLED:
            expected.update(dict.fromkeys(schedule_names(task, now), task))
            # A time that comes in a moment may have fired by now.
            for name in schedule_names(task, now + _DRIFT_MS) - there:
                text = f"schedule {name} is missing"
                yield Finding("unarmed", task.id, text, partial(_rearm, engine, task))
    for name in sorted(there - expected.keys()):
        if _is_wait(name) or isinstance(tasks.get(name[:26]), Unreadable):
            continue
        mend = partial(_drop, engine, client, group, name)
        yield Finding("orphan schedule", name, "its task is gone, over or paused", mend)


def _is_wait(name: str) -> bool:
    """Schedules of waits remove themselves."""
    return name[27:].startswith("wait-")


def _rearm(engine: Engine, task: Task) -> bool:
    current = engine.tasks.get(task.owner, task.id)
    if current is None or current.status is not TaskStatus.ENABLED:
        return False
    engine.schedules.arm(current)
    return True


def _drop(engine: Engine, client: Any, group: str, name: str) -> bool:  # noqa: ANN401 - boto3's own
    task_id = name[:26]
    for task in all_tasks(engine):
        if task.id == task_id and task.status == TaskStatus.ENABLED:
            return False
    client.delete_schedule(GroupName=group, Name=name)
    return True


def _checks(engine: Engine, tasks: _Tasks) -> Iterator[Finding]:
    """What operators watch for, and nobody asked for any more."""
    table = engine.deployment.tables()["operators"]
    open_runs = engine.executions.open_before(engine.clock.now_ms() + _DRIFT_MS, _MOST_OPEN)
    waiting = {execution.id for execution in open_runs}
    for item in engine.scan(table):
        row = from_item(item)
        group, name = str(row["group"]), str(row["sk"])
        if not group.startswith("checks#") or row.get("state") != "watched" or not is_id(name):
            continue
        task = tasks.get(name)
        if isinstance(task, Unreadable):
            continue
        # A waiting execution may have what it waits for watched too.
        if name not in waiting and (task is None or not task.watched):
            chain = int(group.removeprefix("checks#"))
            mend = partial(_unwatch, engine, chain, row)
            yield Finding("check without task", name, f"watched on chain {chain}", mend)


def _unwatch(engine: Engine, chain_id: int, row: Mapping[str, Any]) -> bool:
    owner, name, version = str(row["owner"]), str(row["sk"]), int(row["version"])
    task = engine.tasks.get(owner, name)
    if task is not None and task.watched:
        return False
    writes = CheckWrites(engine.settings)
    now = engine.clock.now_ms()
    gone = writes.gone(chain_id, name, owner, (max(now, version + 1), now))
    engine.dynamo.put(gone)
    return True
