"""A wait of an execution, bounded in time: for a person's decision, or for an event on chain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from task_engine.model.json_value import JsonObject, JsonValue


class Verdict(StrEnum):
    """How a wait ended."""

    APPROVE = "approve"
    REJECT = "reject"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what, and when (ms); nobody at a timeout."""

    verdict: Verdict
    by: str
    at: int
    payload: JsonValue = None


@dataclass(frozen=True, slots=True)
class Wait:
    """One open or decided wait. `token` is the state machine's; `approvers` are
    addresses in any case, empty = the owner alone; `timeout_at` in ms. With a `chain_id` an event
    of that chain decides, and nobody else; `event` says which, as a trigger's configuration does,
    while the wait is opened."""

    execution_id: str
    task_id: str
    owner: str
    node_id: str
    ordinal: int
    approvers: tuple[str, ...]
    timeout_at: int
    token: str
    decision: Decision | None = None
    chain_id: int = 0
    event: JsonObject | None = None

    def may_decide(self, caller: str) -> bool:
        """Whether this address may approve or reject."""
        if self.chain_id:
            return False
        allowed = self.approvers or (self.owner,)
        return caller.lower() in {address.lower() for address in allowed}
