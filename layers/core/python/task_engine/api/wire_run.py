"""What ran at once, as the contract's documents; unset fields are absent."""

from __future__ import annotations

from task_engine.api.wire_execution import context_json, detail_json
from task_engine.model.execution import Outcome
from task_engine.model.json_value import JsonValue
from task_engine.model.node import CHAIN_NODE_TYPES
from task_engine.services.fees import EXECUTION_FEE_USD, VALUE_FEE_PERCENT, Estimate
from task_engine.services.one_shot import NodeRun
from task_engine.services.simulate import Simulated


def node_run_json(run: NodeRun, outcome: Outcome) -> dict[str, JsonValue]:
    """A RunNodeResponse. `output` is there on failures too; the whole response of an HTTP node is
    its metadata."""
    document = _result(outcome)
    document["output"] = {"data": outcome.data} if outcome.has_data else {}
    metadata = outcome.display if outcome.has_display else outcome.metadata
    if isinstance(metadata, list):
        metadata = {"results": metadata}
    if metadata is not None:
        document["metadata"] = metadata
    if outcome.chain is not None:
        document["executionContext"] = context_json(outcome.chain)
        return document
    own = run.config.get("chainId") if run.type in CHAIN_NODE_TYPES else None
    document["executionContext"] = {
        "is_simulated": False,
        "chain_id": own if isinstance(own, int) else run.chain_id,
        "provider": "chain_rpc",
    }
    return document


def trigger_run_json(outcome: Outcome) -> dict[str, JsonValue]:
    """A RunTriggerResponse."""
    document = _result(outcome)
    document["output"] = {"data": outcome.data} if outcome.has_data else {}
    if outcome.metadata is not None:
        document["metadata"] = outcome.metadata
    if outcome.chain is not None:
        document["executionContext"] = context_json(outcome.chain)
    return document


def simulated_json(simulated: Simulated) -> dict[str, JsonValue]:
    """An Execution of no workflow; of a trigger that could not fire, with that step alone."""
    document = detail_json(simulated.detail)
    error = simulated.trigger_error
    steps = document.get("steps")
    if error is not None and isinstance(steps, list) and isinstance(steps[0], dict):
        first = {name: value for name, value in steps[0].items() if name != "output"}
        first |= {"success": False, "error": error.message, "errorCode": error.code}
        document["steps"] = [first]
    return document


def estimate_json(estimate: Estimate) -> dict[str, JsonValue]:
    """An EstimateFeesResponse."""
    percent = VALUE_FEE_PERCENT if estimate.moves_value else "0"
    gas: list[JsonValue] = [
        {
            "nodeId": cost.node_id,
            "costType": "gas",
            "fee": {"amount": str(cost.wei), "unit": "WEI"},
            "gasUnits": str(cost.units),
        }
        for cost in estimate.gas
    ]
    return {
        "chainId": estimate.chain_id,
        "executionFee": {"amount": EXECUTION_FEE_USD, "unit": "USD"},
        "cogs": gas,
        "valueFee": {
            "fee": {"amount": percent, "unit": "PERCENTAGE"},
            "tier": "tier1" if estimate.moves_value else "unspecified",
            "classificationMethod": "ruleBased",
            "confidence": 1,
        },
        "nativeToken": {"symbol": estimate.native_symbol, "decimals": 18},
        "discounts": [],
        "pricingModel": "flat",
    }


def _result(outcome: Outcome) -> dict[str, JsonValue]:
    if outcome.error is None:
        return {"success": True}
    return {"success": False, "error": outcome.error.message, "errorCode": outcome.error.code}
