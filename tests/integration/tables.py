"""The tables of docs/architecture.md, made directly: what the adapters are tested on."""

from __future__ import annotations

from typing import Any

_TABLES: dict[str, tuple[str, str]] = {
    "tasks": ("owner", "sk"),
    "executions": ("taskId", "id"),
    "steps": ("executionId", "sk"),
    "secrets": ("owner", "sk"),
    "wallets": ("owner", "sk"),
    "operations": ("name", ""),
    "task_state": ("taskId", "key"),
    "guards": ("name", ""),
    "operators": ("group", "sk"),
}
_INDEXES = {
    "tasks": ("due", "dueShard", "expiredAt"),
    "executions": ("open", "openShard", "startAt"),
    "operators": ("changes", "group", "version"),
}


def create_tables(dynamodb: Any, prefix: str) -> dict[str, str]:
    """Make them all; returns the settings that name them, e.g. `TABLE_TASKS`."""
    for name in _TABLES:
        dynamodb.create_table(TableName=prefix + name, **_shape(name))
    return {f"TABLE_{name.upper()}": prefix + name for name in _TABLES}


def _shape(name: str) -> dict[str, Any]:
    hash_key, range_key = _TABLES[name]
    kinds = {hash_key: "S", **({range_key: "S"} if range_key else {})}
    shape: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _keys(hash_key, range_key),
    }
    if name in _INDEXES:
        index, shard, number = _INDEXES[name]
        kinds |= {shard: "S", number: "N"}
        shape["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _keys(shard, number),
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
    shape["AttributeDefinitions"] = [
        {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in kinds.items()
    ]
    return shape


def _keys(hash_key: str, range_key: str) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else keys
