"""Routes that run something at once and store nothing: a node, a trigger, a simulated workflow, an
estimate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from task_engine.api.application import Application, Gate
from task_engine.api.http import Reply, Request
from task_engine.api.overrides import erc20_overrides
from task_engine.api.request_body import Fields, json_object
from task_engine.api.wire_run import estimate_json, node_run_json, simulated_json, trigger_run_json
from task_engine.compiler.schema.kinds import node_type_of, trigger_type_of
from task_engine.errors import InvalidRequest
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.model.trigger import TriggerType
from task_engine.services.fees import GasPrice, PricedNode, estimate_fees
from task_engine.services.one_shot import NodeRun, OneShot
from task_engine.services.replies import Made, OncePerKey, reply_name
from task_engine.services.simulate import SimulationService
from task_engine.services.trigger_trials import TriggerTrials

_KEPT_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class OneShotServices:
    """The use cases behind these routes."""

    one_shot: OneShot
    simulation: SimulationService
    trials: TriggerTrials
    once: OncePerKey
    gas_price: GasPrice


class Nodes:
    """Endpoints over the use cases."""

    def __init__(self, services: OneShotServices) -> None:
        self._services = services

    def run_node(self, request: Request) -> Reply:
        """POST /nodes:run; 200 whether or not the node succeeds"""
        caller = request.principal
        run = _node_run(Fields(json_object(request.body)), caller.chain_id)
        key = request.headers.get("idempotency-key", "")
        name = reply_name("node", caller.owner, key) if key else ""
        run = replace(run, run_id=name)

        def make() -> Made:
            outcome = self._services.one_shot.run_node(caller.owner, run)
            # What failed without an answer may be tried again under the same key.
            return Made(node_run_json(run, outcome), _is_kept(run, outcome))

        if not key:
            return Reply(200, make().reply)
        return Reply(200, self._services.once.reply(name, "", _KEPT_SECONDS, make))

    def run_trigger(self, request: Request) -> Reply:
        """POST /triggers:run; 200 whether or not the trigger could fire"""
        fields = Fields(json_object(request.body))
        trigger = fields.mapping("trigger")
        given = fields.mapping("triggerInput")
        kind = trigger_type_of(trigger.get("type"))
        config = trigger.get("config")
        if kind is None:
            known = ", ".join(TriggerType)
            fields.refuse("trigger.type", f"must be one of {known}", "TRIGGERS_BAD_TRIGGER")
        if config is not None and not isinstance(config, dict):
            fields.refuse("trigger.config", "must be an object", "TRIGGERS_BAD_TRIGGER")
        fields.finish()
        if kind is None or not isinstance(config, dict | None):
            raise InvalidRequest("the trigger can't be told", code="TRIGGERS_BAD_TRIGGER")
        if "blockNumber" in given and kind is TriggerType.BLOCK:
            config = {**(config or {}), "blockNumber": given["blockNumber"]}
        outcome = self._services.trials.outcome(kind, config or {}, _runner(given))
        return Reply(200, trigger_run_json(outcome))

    def simulate(self, request: Request) -> Reply:
        """POST /workflows:simulate"""
        caller = request.principal
        body = json_object(request.body)
        fields = Fields({name: value for name, value in body.items() if name not in _DEFINITION})
        chain_id = fields.integer("chainId", least=1) or caller.chain_id
        fields.finish()
        simulated = self._services.simulation.simulate(caller.owner, body, chain_id)
        return Reply(200, simulated_json(simulated))

    def estimate(self, request: Request) -> Reply:
        """POST /workflows:estimateFees"""
        fields = Fields(json_object(request.body))
        nodes = _priced(fields)
        trigger = fields.mapping("trigger")
        if trigger_type_of(trigger.get("type")) is None:
            known = ", ".join(TriggerType)
            fields.refuse("trigger.type", f"must be one of {known}", "FEES_BAD_TRIGGER")
        for name in ("createdAt", "expireAt", "maxExecution"):
            fields.integer(name)
        for name in ("edges", "runner", "inputVariables"):
            fields.anything(name)
        chain_id = fields.integer("chainId", least=1) or request.principal.chain_id
        fields.finish()
        estimate = estimate_fees(nodes, chain_id, self._services.gas_price)
        return Reply(200, estimate_json(estimate))


def _runner(variables: dict[str, JsonValue]) -> str:
    settings = variables.get("settings")
    runner = settings.get("runner") if isinstance(settings, dict) else None
    return runner if isinstance(runner, str) else ""


_DEFINITION = ("trigger", "nodes", "edges", "inputVariables", "smartWalletAddress", "name")


def _is_kept(run: NodeRun, outcome: Outcome) -> bool:
    simulated = outcome.chain is not None and outcome.chain.simulated
    if run.type is NodeType.CONTRACT_WRITE and simulated:
        return False
    return not outcome.wait_seconds and (outcome.error is None or outcome.has_data)


def _node_run(fields: Fields, default_chain: int) -> NodeRun:
    node = fields.mapping("node")
    variables = fields.mapping("inputVariables")
    chain_id = fields.integer("chainId", least=1) or default_chain
    overrides = erc20_overrides(fields)
    kind, config = node_type_of(node.get("type")), node.get("config")
    if kind is None:
        known = ", ".join(NodeType)
        fields.refuse("node.type", f"must be one of {known}", "NODES_BAD_NODE")
    if config is not None and not isinstance(config, dict):
        fields.refuse("node.config", "must be an object", "NODES_BAD_NODE")
    for name in ("id", "name"):
        if not isinstance(node.get(name), str | None):
            fields.refuse(f"node.{name}", "must be a string", "NODES_BAD_NODE")
    fields.finish()
    if kind is None or not isinstance(config, dict | None):
        raise InvalidRequest("the node can't be told", code="NODES_BAD_NODE")
    node_id = str(node.get("id") or "node")
    name = str(node.get("name") or node_id)
    return NodeRun(kind, config or {}, chain_id, node_id, name, variables, overrides)


def _priced(fields: Fields) -> tuple[PricedNode, ...]:
    listed = fields.anything("nodes")
    if not isinstance(listed, list) or not listed:
        fields.refuse("nodes", "must be a list of at least one node", "FEES_BAD_NODE")
        return ()
    nodes: list[PricedNode] = []
    for place, node in enumerate(listed):
        kind = node_type_of(node.get("type")) if isinstance(node, dict) else None
        if kind is None or not isinstance(node, dict):
            fields.refuse(f"nodes[{place}].type", "must be a type of node", "FEES_BAD_NODE")
        else:
            nodes.append(PricedNode(str(node.get("id") or place), kind, _runner_type(node)))
    return tuple(nodes)


def _runner_type(node: dict[str, JsonValue]) -> NodeType | None:
    config = node.get("config")
    runner = config.get("runner") if isinstance(config, dict) else None
    return node_type_of(runner.get("type")) if isinstance(runner, dict) else None


def build_app(gate: Gate, services: OneShotServices) -> Application:
    """The four routes."""
    on = Nodes(services)
    app = Application(gate)
    app.add("POST", "/nodes:run", on.run_node)
    app.add("POST", "/triggers:run", on.run_trigger)
    app.add("POST", "/workflows:simulate", on.simulate)
    app.add("POST", "/workflows:estimateFees", on.estimate)
    return app
