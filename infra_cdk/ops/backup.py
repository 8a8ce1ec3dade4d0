"""All that a deployment keeps, in a folder, and back.

The folder holds `manifest.json`, a file of JSON lines per table (items in DynamoDB's own JSON) and
the blobs below `blobs/` by their keys. Secrets stay encrypted: they can be read again only with
the key that they were encrypted with, which never leaves KMS.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from task_engine.model.task import Task, TaskStatus
from task_engine.run.ports import Run

from infra_cdk.local.waiting import wait_until
from infra_cdk.ops.consistency import all_tasks
from infra_cdk.ops.deployment import Deployment, OpsError
from infra_cdk.ops.engine import Engine

FORMAT = 1
_BATCH = 25
_RESTORE_SECONDS = 6 * 3600.0
_ENDED = (
    "the deployment was restored to a moment of this run; what it did after that is not known, so "
    "it does not go on"
)
# Of a process's moment: who holds what. It comes again by itself.
_PASSING_PREFIXES = ("sender#", "operator:")
# Who watches and how far: the deployment's own operator writes these while nothing else is there.
_OWN_GROUPS = ("operators", "cursor#")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore wrote."""

    items: int
    blobs: int
    armed: int
    walked: int
    ended: int


def export(engine: Engine, folder: Path, at: datetime | None = None) -> dict[str, int]:
    """Write everything to a new folder; how many items of each table, and `blobs`.

    With `at` the tables are those of that second (within the last 35 days): each is restored
    beside the present one for as long as it is read. Raises OpsError.
    """
    deployment = engine.deployment
    if folder.exists() and any(folder.iterdir()):
        raise OpsError(f"{folder} is not empty")
    (folder / "blobs").mkdir(parents=True)
    counts: dict[str, int] = {}
    for name, table in deployment.tables().items():
        if at is None:
            counts[name] = _write_lines(folder / f"{name}.jsonl", engine.scan(table))
            continue
        copy = _copy_at(deployment, table, at)
        try:
            counts[name] = _write_lines(folder / f"{name}.jsonl", engine.scan(copy))
        finally:
            deployment.client("dynamodb").delete_table(TableName=copy)
    counts["blobs"] = sum(1 for _ in _save_blobs(deployment, folder / "blobs"))
    manifest = {
        "format": FORMAT,
        "stage": deployment.stage,
        "at": (at or datetime.now(UTC)).isoformat(),
        "counts": counts,
        "secretsKey": deployment.output("SecretsKeyId"),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return counts


def restore(engine: Engine, folder: Path, *, replace: bool, walk: bool) -> Restored:
    """Write the folder's content back and arm the schedules.

    Only into empty tables, unless `replace` removes what stands there first. Executions that were
    open are ended as errors, since nobody knows what they did after the moment of the back-up;
    with `walk`, right when nothing ran after it, they go on. Raises OpsError.
    """
    deployment = engine.deployment
    manifest = _manifest(folder)
    full = [name for name, table in deployment.tables().items() if _in_use(engine, table)]
    if full and not replace:
        raise OpsError(f"{', '.join(full)} hold data: restore with --replace to lose it")
    # A walk that is still going on may store a step after this: it belongs to no execution then.
    if replace:
        empty(engine)
    files = _files(folder / "blobs")
    for file in files:
        deployment.client("s3").put_object(
            Bucket=deployment.output("BlobBucket"),
            Key=unquote(file.name),
            Body=file.read_bytes(),
        )
    items = sum(
        _write_items(engine, table, _read_lines(folder / f"{name}.jsonl"))
        for name, table in deployment.tables().items()
        if name in manifest["counts"]
    )
    armed = arm_all(engine)
    walked = _walk_all(engine) if walk else 0
    ended = 0 if walk else _end_all(engine)
    return Restored(items, len(files), armed, walked, ended)


def empty(engine: Engine) -> int:
    """Remove every item, blob and schedule; how many items it were."""
    deployment, removed = engine.deployment, 0
    client = deployment.client("dynamodb")
    for table in deployment.tables().values():
        keys = client.describe_table(TableName=table)["Table"]["KeySchema"]
        names = [key["AttributeName"] for key in keys]
        requests = [
            {"DeleteRequest": {"Key": {name: item[name] for name in names}}}
            for item in engine.scan(table)
        ]
        _send(engine, table, requests)
        removed += len(requests)
    bucket, s3 = deployment.output("BlobBucket"), deployment.client("s3")
    for key in list(_blob_keys(deployment)):
        s3.delete_object(Bucket=bucket, Key=key)
    scheduler, group = deployment.client("scheduler"), deployment.output("ScheduleGroup")
    pages = scheduler.get_paginator("list_schedules").paginate(GroupName=group)
    for name in [each["Name"] for page in pages for each in page["Schedules"]]:
        scheduler.delete_schedule(GroupName=group, Name=name)
    return removed


def arm_all(engine: Engine) -> int:
    """Make the schedules of all enabled tasks again; how many tasks have some. Those that can't be
    read are left out: `check` names them."""
    armed = 0
    for task in all_tasks(engine):
        if not isinstance(task, Task) or task.status is not TaskStatus.ENABLED:
            continue
        if not task.definition.trigger.type.on_chain:
            engine.schedules.arm(task)
            armed += 1
    return armed


def _walk_all(engine: Engine) -> int:
    """Begin to walk every open execution anew, after its stored steps; re-arm open waits."""
    now = engine.clock.now_ms()
    count = 0
    for execution in engine.executions.open_before(now + 1, 100_000):
        for wait in engine.waits.of(execution.id):
            if wait.decision is None:
                engine.waits.arm_timeout(wait)
        plan = engine.plans.of(execution.owner, execution.task_id, execution.plan_version)
        # Its walk may be over, or still be there where the same deployment is restored: a walk of
        # another name is neither confused with the one nor refused because of the other.
        engine.walker.start(engine.executions.reopen(execution, now), plan)
        count += 1
    return count


def _end_all(engine: Engine) -> int:
    """Give every open execution its end."""
    count = 0
    for execution in engine.executions.open_before(engine.clock.now_ms() + 1, 100_000):
        version = execution.plan_version
        run = Run(execution.id, execution.task_id, execution.owner, version, "restore")
        engine.finish.give_up(run, _ENDED)
        count += 1
    return count


def _copy_at(deployment: Deployment, table: str, at: datetime) -> str:
    client, copy = deployment.client("dynamodb"), f"{table}-at-{int(at.timestamp())}"
    client.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=copy, RestoreDateTime=at
    )

    def active() -> bool:
        return bool(client.describe_table(TableName=copy)["Table"]["TableStatus"] == "ACTIVE")

    wait_until(active, f"the copy of {table}", _RESTORE_SECONDS, 1)
    return copy


def _save_blobs(deployment: Deployment, folder: Path) -> Iterator[str]:
    bucket, s3 = deployment.output("BlobBucket"), deployment.client("s3")
    for key in _blob_keys(deployment):
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        (folder / quote(key, safe="")).write_bytes(body)
        yield key


def _blob_keys(deployment: Deployment) -> Iterator[str]:
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=deployment.output("BlobBucket")):
        yield from (found["Key"] for found in page.get("Contents", []))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def _write_lines(file: Path, items: Iterable[dict[str, Any]]) -> int:
    count = 0
    with file.open("w", encoding="utf-8") as out:
        for item in items:
            if _passing(item):
                continue
            out.write(json.dumps(item, separators=(",", ":")) + "\n")
            count += 1
    return count


def _read_lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _write_items(engine: Engine, table: str, items: Iterable[dict[str, Any]]) -> int:
    requests = [{"PutRequest": {"Item": item}} for item in items]
    _send(engine, table, requests)
    return len(requests)


def _send(engine: Engine, table: str, requests: list[dict[str, Any]]) -> None:
    client = engine.client("dynamodb")
    for start in range(0, len(requests), _BATCH):
        left: list[Mapping[str, Any]] = [{table: requests[start : start + _BATCH]}]

        def sent(left: list[Mapping[str, Any]] = left) -> bool:
            left[0] = (
                client.call("BatchWriteItem", {"RequestItems": left[0]}).get("UnprocessedItems")
                or {}
            )
            return not left[0]

        wait_until(sent, f"writes to {table}", 60, 0.1)


def _in_use(engine: Engine, table: str) -> bool:
    return any(not _passing(item) and not _watching(item) for item in engine.scan(table))


def _passing(item: Mapping[str, Any]) -> bool:
    return str(item.get("name", {}).get("S", "")).startswith(_PASSING_PREFIXES)


def _watching(item: Mapping[str, Any]) -> bool:
    return str(item.get("group", {}).get("S", "")).startswith(_OWN_GROUPS)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise OpsError(f"{folder} is no back-up: {error}") from error
    if manifest.get("format") != FORMAT:
        raise OpsError(f"{folder} has format {manifest.get('format')}, this reads {FORMAT}")
    return manifest
