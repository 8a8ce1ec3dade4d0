"""The variables one node may see, from what was loaded for it."""

from __future__ import annotations

from task_engine.model.execution import Step
from task_engine.model.json_value import JsonValue
from task_engine.model.node import WRITE_NODE_TYPES, variable_name
from task_engine.model.plan import Plan, PlanNode
from task_engine.model.trigger import TriggerRecord, TriggerType
from task_engine.run.ports import Loaded

_CONFIG_KEY = {
    TriggerType.CRON: "schedules",
    TriggerType.FIXED_TIME: "epochs",
    TriggerType.BLOCK: "interval",
    TriggerType.EVENT: "queries",
}


def build_variables(plan: Plan, node: PlanNode, loaded: Loaded) -> dict[str, JsonValue]:
    """Run variables by name; later ones win: input variables < call-time variables < trigger <
    nodes. Only the outputs in `node.reads` are among them."""
    execution = loaded.execution
    variables: dict[str, JsonValue] = {**plan.input_variables, **execution.trigger.variables}
    settings = variables.get("settings")
    if isinstance(settings, dict) and "runner" in settings:
        variables["aa_sender"] = settings["runner"]
    variables["context"] = {
        "status": execution.context.status,
        "executionCount": execution.context.execution_count,
        "lastRanAt": execution.context.last_ran_at,
        "completedAt": execution.context.completed_at,
    }
    variables["triggerConfig"] = trigger_config(plan)
    trigger_name = variable_name(plan.trigger.name, plan.trigger.id)
    variables[trigger_name] = trigger_variable(plan, execution.trigger)
    for read in node.reads:
        step = loaded.steps.get(read)
        if step is not None:
            source = plan.nodes[read]
            variables[variable_name(source.name, source.id)] = node_variable(source, step)
    return variables


def trigger_config(plan: Plan) -> JsonValue:
    """`{{triggerConfig}}`: id, name, type and what the trigger waits for."""
    key = _CONFIG_KEY.get(plan.trigger.type)
    data: dict[str, JsonValue] = {key: plan.trigger.config.get(key)} if key else {}
    return {
        "id": plan.trigger.id,
        "name": plan.trigger.name,
        "type": plan.trigger.type.value,
        "data": data,
    }


def trigger_variable(plan: Plan, record: TriggerRecord) -> JsonValue:
    """`{{<trigger>}}`: what fired, and the trigger's configuration as `input`.

    Data of automatic triggers gains a `type`; manual data is passed through unchanged.
    """
    data = record.data
    if record.type is not TriggerType.MANUAL and isinstance(data, dict):
        data = {**data, "type": record.type.enum_name}
    variable: dict[str, JsonValue] = {"data": data, "input": dict(plan.trigger.config)}
    if record.headers is not None:
        variable["headers"] = record.headers
    if record.path_params is not None:
        variable["pathParams"] = record.path_params
    return variable


def node_variable(node: PlanNode, step: Step) -> JsonValue:
    """`{{<node>}}`: `data` when the step has any (a failed one has none), and `input`; of a write
    on chain also `results` (its metadata), `success` and the transaction's `hash`."""
    variable: dict[str, JsonValue] = {"input": dict(node.config)}
    if step.outcome.has_data:
        variable["data"] = step.outcome.data
    if node.type in WRITE_NODE_TYPES and step.outcome.metadata is not None:
        variable["results"] = step.outcome.metadata
        variable["success"] = step.outcome.error is None
        variable["hash"] = transaction_hash(step.outcome.metadata)
    return variable


def transaction_hash(metadata: JsonValue) -> JsonValue:
    """The last transaction that the metadata of a write tells of, None before there is one."""
    told = metadata[-1] if isinstance(metadata, list) and metadata else metadata
    if not isinstance(told, dict):
        return None
    receipt = told.get("receipt")
    found = (receipt if isinstance(receipt, dict) else told).get("transactionHash")
    return found if isinstance(found, str) and found.startswith("0x") else None
