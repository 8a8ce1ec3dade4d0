"""What the guard and the REST processor add to a GET, against plain urllib3 on loopback."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import urllib3
from task_engine.config import Limits
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.plan import PlanNode
from task_engine.net.message import HttpRequest
from task_engine.net.policy import EgressPolicy
from task_engine.net.safe_http import SafeHttp
from task_engine.processors.base import Scope
from task_engine.processors.rest_api import RestApiProcessor

from tests.servers.http_server import HttpServer

ROUNDS = 400
WARM_UP = 50


def run() -> list[dict[str, object]]:
    """Medians over requests that take turns, so that noise hits all alike."""
    with HttpServer() as server:
        url = f"{server.url}/echo"
        plain = urllib3.PoolManager()
        http = SafeHttp(EgressPolicy([f"127.0.0.1:{server.port}"]), Limits())
        processor = RestApiProcessor(http)
        config: dict[str, JsonValue] = {
            "url": server.url + "/{{route}}",
            "headers": {"X-A": "{{value}}"},
        }
        node = PlanNode("n", "n", NodeType.REST_API, config, 1)
        scope = Scope({"route": "echo", "value": "1"})
        raw, guarded, whole = _medians(
            lambda: plain.request("GET", url).data,
            lambda: http.request(HttpRequest("GET", url)).body,
            lambda: processor.run(node, scope).data,
        )
    return [
        {"name": "GET by plain urllib3", "value": raw, "unit": "ms", "target": ""},
        {"name": "GET by SafeHttp", "value": guarded, "unit": "ms", "target": ""},
        {"name": "GET by the REST processor", "value": whole, "unit": "ms", "target": ""},
        {"name": "added by SafeHttp", "value": guarded - raw, "unit": "ms", "target": "≤ 2"},
        {"name": "added in all", "value": whole - raw, "unit": "ms", "target": "≤ 2"},
    ]


def _medians(*works: Callable[[], object]) -> list[float]:
    times: list[list[float]] = [[] for _ in works]
    for turn in range(WARM_UP + ROUNDS):
        for place, work in enumerate(works):
            started = time.perf_counter()
            work()
            if turn >= WARM_UP:
                times[place].append((time.perf_counter() - started) * 1000)
    return [statistics.median(taken) for taken in times]
