"""What a million node executions cost, from counted calls, transitions and milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from tests.unit.walker.machine import case, lane, lanes, walk


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars, us-east-1, arm64, on demand."""

    as_of: str = "2026-11"
    express_request: float = 1.00e-6
    express_gb_second: float = 1.667e-5
    standard_transition: float = 2.5e-5
    lambda_request: float = 2.0e-7
    lambda_gb_second: float = 1.33334e-5
    dynamo_write_unit: float = 6.25e-7
    dynamo_read_unit: float = 1.25e-7
    sqs_request: float = 4.0e-7
    event: float = 1.0e-6


@dataclass(frozen=True)
class RunShape:
    """A run as it was counted. `node_ms` is a node's billed time on average."""

    nodes: int = 10
    node_ms: float = 40.0
    lambda_gb: float = 0.5
    writes_per_node: int = 2
    reads_per_node: float = 1.0
    # admit: guard, task, execution in a transaction (double price); finish: execution, task
    writes_per_run: int = 3 * 2 + 2 * 2
    reads_per_run: int = 4
    # API or trigger, start_execution, finish_execution
    other_invocations: int = 3
    express_memory_gb: float = 0.064


def transitions(nodes: int) -> int:
    """State transitions of a linear run, counted by walking the definition."""
    return walk([case([lanes(lane(["t"], *(f"n{i}" for i in range(nodes))))])])[0].transitions


def dollars_per_million_nodes(shape: RunShape, prices: Prices, *, express: bool) -> float:
    """List price of 1,000,000 node executions in runs of that shape."""
    invocations = shape.nodes + shape.other_invocations
    seconds = shape.nodes * shape.node_ms / 1000
    compute = invocations * prices.lambda_request
    compute += invocations * shape.node_ms / 1000 * shape.lambda_gb * prices.lambda_gb_second
    storage = (
        shape.nodes * shape.writes_per_node + shape.writes_per_run
    ) * prices.dynamo_write_unit
    storage += (shape.nodes * shape.reads_per_node + shape.reads_per_run) * prices.dynamo_read_unit
    queue = 3 * prices.sqs_request + prices.event
    if express:
        walking = prices.express_request
        walking += seconds * shape.express_memory_gb * prices.express_gb_second
    else:
        walking = transitions(shape.nodes) * prices.standard_transition
    return (compute + storage + queue + walking) / shape.nodes * 1e6


def run() -> list[dict[str, object]]:
    """Both classes, and what of it is the walker's."""
    shape, prices = RunShape(), Prices()
    rows: list[dict[str, object]] = [
        {"name": f"prices of {prices.as_of}, {shape.nodes} nodes a run", "value": "", "unit": ""}
    ]
    for name, express in (("Express", True), ("Standard", False)):
        value = dollars_per_million_nodes(shape, prices, express=express)
        rows.append({"name": f"{name}: a million nodes", "value": round(value, 2), "unit": "$"})
    count = transitions(shape.nodes)
    rows.append(
        {"name": "transitions of a 10-node run", "value": count, "unit": "", "target": "<= 26"}
    )
    return rows
