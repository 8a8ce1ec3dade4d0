"""Executions and steps as the contract's documents; unset fields are absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from task_engine.model.execution import ChainUse, Execution, Step, StepStatus
from task_engine.model.json_value import JsonValue
from task_engine.model.node import CHAIN_NODE_TYPES, variable_name
from task_engine.model.plan import Plan, PlanNode
from task_engine.services.ancestry import ancestors
from task_engine.services.executions import ExecutionDetail, ExecutionStats


def execution_json(execution: Execution) -> dict[str, JsonValue]:
    """An Execution without its steps, as lists have it."""
    document: dict[str, JsonValue] = {
        "id": execution.id,
        "workflowId": execution.task_id,
        "index": execution.index,
        "status": execution.status.value,
        "startAt": execution.start_at,
    }
    if execution.orphaned_at:
        document["orphaned"] = True
    if execution.skipped:
        document["skipped"] = list(execution.skipped)
    optional: dict[str, JsonValue] = {
        "endAt": execution.end_at,
        "error": execution.error,
        "chainId": execution.chain_id,
    }
    document.update({name: value for name, value in optional.items() if value})
    return document


def status_json(execution: Execution) -> dict[str, JsonValue]:
    """An ExecutionStatusSummary."""
    document = execution_json(execution)
    kept = ("id", "workflowId", "status", "startAt", "endAt", "error")
    return {name: document[name] for name in kept if name in document}


def triggered_json(execution: Execution) -> dict[str, JsonValue]:
    """A TriggerWorkflowResponse."""
    document: dict[str, JsonValue] = {
        "executionId": execution.id,
        "status": execution.status.value,
    }
    optional: dict[str, JsonValue] = {
        "startAt": execution.start_at,
        "endAt": execution.end_at,
        "error": execution.error,
    }
    document.update({name: value for name, value in optional.items() if value})
    return document


def stats_json(stats: ExecutionStats) -> dict[str, JsonValue]:
    """An ExecutionStats; the average in ms."""
    average = stats.average_ms
    return {
        "total": stats.total,
        "succeeded": stats.succeeded,
        "failed": stats.failed,
        "pending": stats.pending,
        "waiting": stats.waiting,
        "avgExecutionTime": int(average) if average == int(average) else round(average, 3),
    }


def detail_json(detail: ExecutionDetail) -> dict[str, JsonValue]:
    """An Execution with its steps in the order they ended, the trigger's first.

    A step that has only begun is left out; one that is waiting for its first has no steps at all.
    """
    execution = detail.execution
    document = execution_json(execution)
    ended = [step for step in detail.steps if step.status is not StepStatus.RUNNING]
    if not ended and not execution.status.final:
        return document
    ended.sort(key=lambda step: (step.end_at, step.ordinal))
    inputs = _Inputs(execution, detail.plan, ended)
    steps: list[JsonValue] = [_trigger_step(execution, detail.plan)]
    steps += [_step_json(step, execution, detail.plan, inputs.of(step)) for step in ended]
    document["steps"] = steps
    return document


def _trigger_step(execution: Execution, plan: Plan | None) -> JsonValue:
    record = execution.trigger
    document: dict[str, JsonValue] = {
        "id": plan.trigger.id if plan else "trigger",
        "type": record.type.value,
        "success": True,
        "output": {"data": record.data},
        "executionContext": _context(execution, execution.chain_id),
        "startAt": execution.start_at,
        "endAt": execution.start_at,
    }
    if plan:
        document["name"] = plan.trigger.name
        document["config"] = dict(plan.trigger.config)
        document["inputs"] = list(_variables(execution, plan))
    return document


def _step_json(step: Step, execution: Execution, plan: Plan | None, inputs: list[str]) -> JsonValue:
    node = plan.nodes.get(step.node_id) if plan else None
    outcome = step.outcome
    document: dict[str, JsonValue] = {
        "id": step.node_id,
        "type": step.type.value,
        "name": step.name,
        "success": step.status is StepStatus.SUCCESS,
        "inputs": list(inputs),
        "executionContext": _context_of(step, node, execution),
        "startAt": step.start_at,
        "endAt": step.end_at,
    }
    document |= gas_json(outcome.chain)
    if node is not None:
        document["config"] = dict(node.config)
    if outcome.error is not None:
        document["error"] = outcome.error.message
        document["errorCode"] = outcome.error.code
    if outcome.log:
        document["log"] = outcome.log
    if outcome.metadata is not None:
        document["metadata"] = outcome.metadata
    if outcome.has_display:
        document["output"] = {"data": outcome.display}
    elif outcome.has_data:
        document["output"] = {"data": outcome.data}
    return document


def _context_of(step: Step, node: PlanNode | None, execution: Execution) -> JsonValue:
    if step.outcome.chain is not None:
        return context_json(step.outcome.chain)
    return _context(execution, _chain_of(step, node, execution))


def context_json(use: ChainUse) -> dict[str, JsonValue]:
    """A step's executionContext."""
    return {
        "is_simulated": use.simulated,
        "provider": use.provider,
        "chain_id": use.chain_id,
    }


def gas_json(use: ChainUse | None) -> dict[str, JsonValue]:
    """What a step's gas cost, when it used any."""
    if use is None or not use.gas_used:
        return {}
    return {
        "gasUsed": str(use.gas_used),
        "gasPrice": str(use.gas_price),
        "totalGasCost": str(use.gas_cost),
    }


def _context(execution: Execution, chain_id: int) -> JsonValue:
    return {
        "is_simulated": execution.trigger.simulated,
        "provider": "chain_rpc",
        "chain_id": chain_id,
    }


def _chain_of(step: Step, node: PlanNode | None, execution: Execution) -> int:
    own = node.config.get("chainId") if node and step.type in CHAIN_NODE_TYPES else None
    return own if isinstance(own, int) else execution.chain_id


class _Inputs:
    """Names that each step could read when it started; never values."""

    def __init__(self, execution: Execution, plan: Plan | None, ended: Iterable[Step]) -> None:
        self._plan = plan
        self._steps: Mapping[str, Step] = {step.node_id: step for step in ended}
        self._ancestors = ancestors(plan) if plan else {}
        self._everywhere = _everywhere(execution, plan) if plan else []

    def of(self, step: Step) -> list[str]:
        """Run variables first, then the nodes before it, in the plan's order."""
        if self._plan is None:
            return []
        names = list(self._everywhere)
        node = self._plan.nodes.get(step.node_id)
        if node is not None and node.secrets:
            names.append("apContext.configVars")
        above = [self._steps[i] for i in self._ancestors.get(step.node_id, ()) if i in self._steps]
        for source in sorted(above, key=lambda other: other.ordinal):
            variable = variable_name(source.name, source.node_id)
            if source.outcome.has_data:
                names.append(f"{variable}.data")
            names.append(f"{variable}.input")
        return names


def _everywhere(execution: Execution, plan: Plan) -> list[str]:
    record = execution.trigger
    name = variable_name(plan.trigger.name, plan.trigger.id)
    parts = ["data", "input"]
    parts += ["headers"] if record.headers is not None else []
    parts += ["pathParams"] if record.path_params is not None else []
    return [*_variables(execution, plan), *(f"{name}.{part}" for part in parts)]


def _variables(execution: Execution, plan: Plan) -> list[str]:
    return list({**plan.input_variables, **execution.trigger.variables})
