"""A ten-node run, blocking, through the deployed local stage."""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from infra_cdk.local.settings import LocalSettings
from infra_cdk.local.stage import LocalStage, start_stage
from tests.benchmarks.ten_nodes import TEN_NODES
from tests.cases.in_process import servers_of

ALONE = 25
TOGETHER = 64
AT_ONCE = 8


def _blocking(api: ApiClient, task_id: str) -> tuple[float, str]:
    started = time.perf_counter()
    answer = api.post(
        f"/workflows/{task_id}:trigger", {"triggerType": "manual", "isBlocking": True}
    )
    if answer["status"] != "success":
        raise RuntimeError(f"the measured run ended as {answer['status']}: {answer.get('error')}")
    return (time.perf_counter() - started) * 1000, answer["executionId"]


def _percentile(times: list[float], share: float) -> float:
    return statistics.quantiles(times, n=100)[round(share * 100) - 1]


def _empty_walk_ms(stage: LocalStage, execution: dict[str, Any], owner: str) -> float:
    """Median of a walk without nodes: the emulator's fixed start delay and one finish."""
    client = stage.aws.client("stepfunctions")
    machines = client.list_state_machines()["stateMachines"]
    arn = next(m["stateMachineArn"] for m in machines if "express" in m["name"].lower())
    walk = {
        "executionId": execution["id"],
        "taskId": execution["workflowId"],
        "owner": owner,
        "version": 1,
        "trigger": "t",
        "stages": [],
    }
    times = []
    for _ in range(10):
        started = time.perf_counter()
        client.start_sync_execution(stateMachineArn=arn, input=json.dumps(walk))
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _megabytes(pids: list[int]) -> float:
    """Resident memory of processes and all their descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    total, todo = 0, list(pids)
    while todo:
        pid = todo.pop()
        todo.extend(parents.get(pid, []))
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    return total / 1e6


def run() -> list[dict[str, object]]:
    """Latencies in ms, one at a time and eight at a time; the emulator's share apart."""
    stage = start_stage(LocalSettings.for_own_stage(), "bench", progress=lambda _: None)
    try:
        with HttpServer() as http, GraphqlServer() as graphql:
            api = sign_in(ApiClient(stage.base_url))
            task = api.post("/workflows", TEN_NODES.body(servers_of(http, graphql), api.wallet))
            return _measure(stage, api, task["id"])
    finally:
        stage.stop()


def _measure(stage: LocalStage, api: ApiClient, task_id: str) -> list[dict[str, object]]:
    for _ in range(3):
        _, execution_id = _blocking(api, task_id)
    alone = [_blocking(api, task_id)[0] for _ in range(ALONE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The emulator's workers for as many at once start first, as they would on AWS.
        list(pool.map(lambda _: _blocking(api, task_id), range(2 * AT_ONCE)))
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        together = [ms for ms, _ in pool.map(lambda _: _blocking(api, task_id), range(TOGETHER))]
    seconds = time.perf_counter() - started
    execution = api.execution(task_id, execution_id)
    nodes = execution["steps"][1:]
    own = sum(step["endAt"] - step["startAt"] for step in nodes)
    empty = _empty_walk_ms(stage, execution, api.owner)
    p50 = statistics.median(alone)
    return [
        {"name": "one at a time, p50", "value": round(p50), "unit": "ms"},
        {"name": "one at a time, p95", "value": round(_percentile(alone, 0.95)), "unit": "ms"},
        {"name": "eight at a time, p50", "value": round(statistics.median(together)), "unit": "ms"},
        {
            "name": "eight at a time, p95",
            "value": round(_percentile(together, 0.95)),
            "unit": "ms",
        },
        {"name": "eight at a time", "value": round(TOGETHER / seconds, 1), "unit": "runs/s"},
        {"name": "inside the ten processors (start to end)", "value": own, "unit": "ms"},
        {"name": "a walk without nodes (emulator's start)", "value": round(empty), "unit": "ms"},
        {
            "name": "emulator and API per node, besides its processor",
            "value": round((p50 - empty - own) / max(1, len(nodes)), 1),
            "unit": "ms",
        },
        {
            "name": "memory of emulator and all workers",
            "value": round(_megabytes(list(stage.endpoint()["pids"].values()))),
            "unit": "MB",
        },
    ]
