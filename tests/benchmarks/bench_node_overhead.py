"""What the boundary around a processor costs, and a whole run in one process."""

from __future__ import annotations

import statistics
import time

from task_engine.run.in_process import run_json
from task_engine.run.node_runner import NodeRunner

from infra_cdk.local.servers.graphql_server import GraphqlServer
from infra_cdk.local.servers.http_server import HttpServer
from tests.benchmarks.ten_nodes import TEN_NODES, TEN_SCRIPTS
from tests.cases.case import Case
from tests.cases.in_process import run_in_process, servers_of
from tests.unit.run.stores import RUN, Watched, a_run, ports_of

ROUNDS = 300
RUNS = 15


def boundary_ms() -> float:
    """Median of a node run whose processor does nothing, storage in memory."""
    times: list[float] = []
    for _ in range(ROUNDS):
        runner = NodeRunner(Watched(), ports_of(a_run(secrets={"TOKEN": "x" * 20})))
        event: dict[str, object] = {"run": run_json(RUN), "nodeId": "n"}
        started = time.perf_counter()
        runner.handle(event, 60.0)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def ten_nodes_ms(case: Case) -> float:
    """Median of a ten-node run in this process: same compiler, same processors."""
    with HttpServer() as http, GraphqlServer() as graphql:
        servers = servers_of(http, graphql)
        times: list[float] = []
        for _ in range(RUNS):
            started = time.perf_counter()
            seen = run_in_process(case, servers)
            times.append(time.perf_counter() - started)
            if seen.status != "success":
                raise RuntimeError(f"the measured run failed: {seen.error}")
    return statistics.median(times) * 1000


def run() -> list[dict[str, object]]:
    """Medians in ms."""
    return [
        {
            "name": "claim, load, redact, store around a node (no AWS)",
            "value": round(boundary_ms(), 3),
            "unit": "ms",
            "target": "<= 2",
        },
        {
            "name": "ten nodes in one process, with validation, compilation and two HTTP calls",
            "value": round(ten_nodes_ms(TEN_NODES), 1),
            "unit": "ms",
            "target": "<= 15",
        },
        {
            "name": "the same with scripts that each need a child process",
            "value": round(ten_nodes_ms(TEN_SCRIPTS), 1),
            "unit": "ms",
        },
    ]
