"""Triggers of blocks and events, tried out on the real chain."""

from __future__ import annotations

from collections.abc import Callable

from task_engine.clock import Clock
from task_engine.errors import InvalidRequest
from task_engine.evm.ports import RpcPort
from task_engine.model.execution import ChainUse, Outcome
from task_engine.model.json_value import JsonObject
from task_engine.model.trigger import TriggerType
from task_engine.operator.checks import CheckHead, EventCheck, event_check
from task_engine.operator.enrich import TRANSFER
from task_engine.operator.token_names import TokenPort
from task_engine.operator.trial import Trial, Trials
from task_engine.run.node_runner import failure, run_processor

_CONFIG = "INVALID_TRIGGER_CONFIG"
_NODE = "INVALID_NODE_CONFIG"
_PROVIDER = "chain_rpc"


class ChainTriggers:
    """What goes wrong, on the chain or in the configuration, is in the outcome."""

    def __init__(self, rpc_of: Callable[[int], RpcPort], tokens: TokenPort, clock: Clock) -> None:
        self._rpc_of = rpc_of
        self._tokens = tokens
        self._clock = clock

    def outcome(
        self, kind: TriggerType, config: JsonObject, chain_id: int, wallet: str = ""
    ) -> Outcome:
        """Data of a trigger that fires now; `wallet` is whose transfers are sent or received."""
        if kind is TriggerType.BLOCK:
            return run_processor(lambda: self._block(config, chain_id))
        try:
            head = CheckHead("trial", "", wallet=wallet)
            check = event_check(head, {**config, "chainId": chain_id})
        except InvalidRequest as error:
            return failure(error.stable_code, error.message)
        problem = _unfit(check)
        if problem:
            return failure(_NODE, problem)
        return run_processor(lambda: _event_outcome(self._trials(chain_id).event(check), chain_id))

    def _block(self, config: JsonObject, chain_id: int) -> Outcome:
        number = config.get("blockNumber")
        if number is not None and (type(number) is not int or number < 0):
            return failure(_CONFIG, "blockNumber must be a whole number of 0 or more")
        trial = self._trials(chain_id).block(number)
        if trial is None:
            return failure(_CONFIG, f"chain {chain_id} has no block {number} yet")
        return Outcome(data=trial.data, chain=ChainUse(chain_id, _PROVIDER))

    def _trials(self, chain_id: int) -> Trials:
        return Trials(self._rpc_of(chain_id), self._tokens, self._clock.now_ms())


def _unfit(check: EventCheck) -> str:
    """What can't be tried out, although it may be watched for: "" = nothing."""
    for place, query in enumerate(check.queries):
        if not query.addresses:
            return f"queries[{place}].addresses is required here: at least one contract"
        ends = [topic for topic in query.topics[1:3] if topic is not None]
        if query.topics[:1] == (TRANSFER,) and not ends:
            return (
                f"queries[{place}].topics: a query for transfers needs at least one address,"
                " from (topics[1]) or to (topics[2])"
            )
    return ""


def _event_outcome(trial: Trial, chain_id: int) -> Outcome:
    chain = ChainUse(chain_id, _PROVIDER, simulated=trial.simulated)
    if trial.met:
        return Outcome(data=trial.data, metadata=trial.metadata, chain=chain)
    refused = failure("INVALID_REQUEST", "conditions not met: the trigger would not fire")
    metadata = {"evaluated": trial.data, **trial.metadata}
    return Outcome(has_data=False, error=refused.error, metadata=metadata, chain=chain)
