"""Owners with a ten-node task each, and what became of their executions."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.stage import LocalStage
from tests.benchmarks.ten_nodes import TEN_NODES
from tests.cases.case import Servers, rest
from tests.e2e.engine import Deployment

Json = Any
BUSY_SHARES = 100
_SETTING_UP_AT_ONCE = 4


@dataclass(frozen=True)
class Owner:
    """A signed-in owner and its task; `key` is what the outside server counts of it."""

    api: ApiClient
    task: str
    key: str

    def trigger(self, *, blocking: bool) -> str:
        """One more execution; returns its id."""
        return str(self.api.trigger(self.task, blocking=blocking)["executionId"])


@dataclass(frozen=True)
class Ended:
    """A final execution: `ms` from its admission to its end."""

    id: str
    index: int
    status: str
    ms: int


def make_owners(stage: LocalStage, servers: Servers, count: int) -> list[Owner]:
    """The first of them is the busy one."""

    def make(number: int) -> Owner:
        api, key = sign_in(ApiClient(stage.base_url)), f"load-{number}"
        body = TEN_NODES.body(servers, api.wallet)
        body["maxExecution"] = 1_000_000
        tell = rest("tell", f"{servers.http}/count/{key}?n={{{{third.data}}}}", method="POST")
        body["nodes"] = [tell if n["id"] == "tell" else n for n in body["nodes"]]
        return Owner(api, str(api.post("/workflows", body)["id"]), key)

    with ThreadPoolExecutor(_SETTING_UP_AT_ONCE) as pool:
        return list(pool.map(make, range(count)))


def arrivals(owners: Sequence[Owner], count: int, shares: Sequence[int]) -> Iterator[Owner]:
    """Who comes next, `count` times: each evenly, in proportion to its share."""
    chance = random.Random(1)
    due = [(chance.random() / share, n) for n, share in enumerate(shares) if share]
    heapq.heapify(due)
    for _ in range(count):
        at, number = heapq.heappop(due)
        yield owners[number]
        heapq.heappush(due, (at + 1 / shares[number], number))


def executions(stage: LocalStage, owner: Owner) -> list[Json]:
    """Headers of all executions of an owner's task, by index."""
    pages = stage.aws.client("dynamodb").get_paginator("query")
    found = pages.paginate(
        TableName=Deployment(stage).output("TableExecutions"),
        KeyConditionExpression="taskId = :task",
        ExpressionAttributeValues={":task": {"S": owner.task}},
        ProjectionExpression="id, #i, #s, startAt, endAt",
        ExpressionAttributeNames={"#i": "index", "#s": "status"},
        ConsistentRead=True,
    )
    plain = TypeDeserializer().deserialize
    rows = [{k: plain(v) for k, v in item.items()} for page in found for item in page["Items"]]
    return sorted(rows, key=lambda row: row["index"])


def ended(stage: LocalStage, owner: Owner) -> list[Ended]:
    """Those that have their end."""
    return [
        Ended(row["id"], int(row["index"]), row["status"], int(row["endAt"] - row["startAt"]))
        for row in executions(stage, owner)
        if row.get("endAt")
    ]
