"""Steps as items and back."""

from __future__ import annotations

from typing import Any

from task_engine.aws.items import Item
from task_engine.model.execution import ChainUse, Outcome, Step, StepError, StepStatus
from task_engine.model.json_value import JsonValue
from task_engine.model.node import NodeType
from task_engine.run.ports import StepKey


def sort_key(key: StepKey) -> str:
    """`<ordinal>#<nodeId>`; of a loop's chunk `chunk#<ordinal>#<nodeId>#<n>`."""
    if key.chunk is None:
        return f"{key.ordinal:05d}#{key.node_id}"
    return f"{chunk_prefix(key)}{key.chunk:05d}"


def chunk_prefix(key: StepKey) -> str:
    """What the keys of a loop's chunks begin with."""
    return f"chunk#{key.ordinal:05d}#{key.node_id}#"


def outcome_to_json(outcome: Outcome) -> dict[str, JsonValue]:
    """An outcome as a document; what is not there is left out."""
    document: dict[str, JsonValue] = {}
    if outcome.has_data:
        document["data"] = outcome.data
    if outcome.has_display:
        document["display"] = outcome.display
    if outcome.error is not None:
        error = outcome.error
        document["error"] = [error.code, error.message, error.retryable]
    if outcome.log:
        document["log"] = outcome.log
    if outcome.metadata is not None:
        document["metadata"] = outcome.metadata
    if outcome.conditions:
        document["conditions"] = list(outcome.conditions)
    if outcome.chain is not None:
        use = outcome.chain
        gas: list[JsonValue] = [str(use.gas_used), str(use.gas_cost)]
        document["chain"] = [use.chain_id, use.provider, use.simulated, *gas]
    return document


def outcome_from_json(stored: dict[str, Any]) -> Outcome:
    """The outcome that `outcome_to_json` wrote."""
    error = stored.get("error")
    return Outcome(
        data=stored.get("data"),
        has_data="data" in stored,
        error=StepError(*error) if error else None,
        log=stored.get("log", ""),
        metadata=stored.get("metadata"),
        conditions=tuple(stored.get("conditions", ())),
        display=stored.get("display"),
        has_display="display" in stored,
        chain=_chain_use(stored["chain"]) if "chain" in stored else None,
    )


def _chain_use(stored: list[Any]) -> ChainUse:
    chain_id, provider, simulated, used, cost = stored
    return ChainUse(chain_id, provider, simulated, int(used), int(cost))


def step_from_item(item: Item, outcome: Outcome) -> Step:
    """The step of an item, with its outcome (read apart, it may be in the blob store)."""
    ordinal, _, node_id = str(item["sk"]).partition("#")
    return Step(
        execution_id=item["executionId"],
        node_id=node_id,
        ordinal=int(ordinal),
        name=item.get("name", ""),
        type=NodeType(item.get("type", NodeType.CUSTOM_CODE)),
        status=StepStatus(item["status"]),
        start_at=item.get("startAt", 0),
        end_at=item.get("endAt", 0),
        attempt=item.get("attempt", 1),
        tokens=tuple(item.get("tokens", ())),
        outcome=outcome,
    )
