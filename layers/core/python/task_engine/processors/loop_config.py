"""A loop's configuration, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from task_engine.errors import NodeError
from task_engine.model.json_value import JsonValue
from task_engine.model.node import CHAIN_NODE_TYPES, NodeType
from task_engine.model.plan import PlanNode

RUNNER_TYPES = frozenset(
    {
        NodeType.REST_API,
        NodeType.GRAPHQL_QUERY,
        NodeType.CUSTOM_CODE,
        NodeType.CONTRACT_READ,
        NodeType.CONTRACT_WRITE,
        NodeType.ETH_TRANSFER,
    }
)
_ALIASES = {"graphqlDataQuery": NodeType.GRAPHQL_QUERY, "graphql": NodeType.GRAPHQL_QUERY}
_SECONDS = 30.0
_CHAIN_SECONDS = 240.0
_MAINNET_SECONDS = 360.0


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """`input_variable` is a path, with or without braces; `seconds` bounds one iteration;
    `runner` is the node that each iteration runs, under the loop's id. Another item starts only
    while `reserve_seconds` are left, None = as many as one iteration may take."""

    input_variable: str
    value_name: str
    key_name: str
    parallel: bool
    seconds: float
    runner: PlanNode
    reserve_seconds: float | None = None

    def iteration(self, index: int) -> PlanNode:
        """The node of one iteration: `<loopId>_iter_<index>`."""
        return replace(self.runner, id=f"{self.runner.id}_iter_{index}")


def parse_loop(node: PlanNode) -> LoopConfig:
    """Raises NodeError: MISSING_REQUIRED_FIELD or INVALID_NODE_CONFIG."""
    config = node.config
    input_variable = config.get("inputVariable")
    if not isinstance(input_variable, str) or not input_variable.strip():
        raise NodeError("inputVariable is required", code="MISSING_REQUIRED_FIELD")
    runner = _runner(node)
    mode = config.get("executionMode")
    parallel = isinstance(mode, str) and mode.strip().lower() == "parallel"
    return LoopConfig(
        input_variable=input_variable,
        value_name=_name(config.get("iterVal") or config.get("iterVar"), "value"),
        key_name=_name(config.get("iterKey"), "index"),
        parallel=parallel and runner.type not in CHAIN_NODE_TYPES,
        seconds=_seconds(config.get("iterationTimeout"), runner),
        runner=runner,
    )


def _name(given: JsonValue, default: str) -> str:
    if given is None or given == "":
        return default
    if not isinstance(given, str) or not given.isidentifier():
        raise NodeError("iterVal and iterKey must be identifiers", code="INVALID_NODE_CONFIG")
    return given


def _runner(node: PlanNode) -> PlanNode:
    given = node.config.get("runner")
    if not isinstance(given, Mapping) or not given:
        raise NodeError("runner is required", code="MISSING_REQUIRED_FIELD")
    word, config = str(given.get("type") or ""), given.get("config")
    try:
        node_type = _ALIASES.get(word) or NodeType(word)
    except ValueError as error:
        raise NodeError("runner.type is not a node type", code="INVALID_NODE_CONFIG") from error
    if node_type not in RUNNER_TYPES:
        raise NodeError(f"a loop can't run {node_type.value}", code="INVALID_NODE_CONFIG")
    if not isinstance(config, Mapping):
        raise NodeError("runner.config is required", code="MISSING_REQUIRED_FIELD")
    return replace(node, name=str(given.get("name") or node.name), type=node_type, config=config)


def _seconds(given: JsonValue, runner: PlanNode) -> float:
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
            raise NodeError(
                "iterationTimeout must be a number of seconds", code="INVALID_NODE_CONFIG"
            )
        if given > 0:
            return float(given)
    if runner.type not in CHAIN_NODE_TYPES:
        return _SECONDS
    return _MAINNET_SECONDS if str(runner.config.get("chainId")) == "1" else _CHAIN_SECONDS
