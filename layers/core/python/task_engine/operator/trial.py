"""What a trigger of a chain would bring if it fired now: looked up, else made up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.model.json_value import JsonValue
from task_engine.operator.abi_shelf import AbiShelf
from task_engine.operator.chain_view import ChainView
from task_engine.operator.checks import EventCheck
from task_engine.operator.enrich import Enricher, block_data
from task_engine.operator.log_query import too_large, union_filter
from task_engine.operator.logs import Header, Log, read_header, read_logs
from task_engine.operator.match import Hit, Matcher
from task_engine.operator.sample_log import sample_log
from task_engine.operator.state_queries import StateQueries
from task_engine.operator.token_names import TokenNames, TokenPort

_LOOK_BACK_BLOCKS = (1000, 100, 10)
"""Fewer where the node finds more too many."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`met`: the conditions hold for the data. `simulated`: no such event was found, the data is
    made up. `metadata` is the log, or what the conditions were looked at on."""

    data: dict[str, JsonValue]
    metadata: dict[str, JsonValue]
    met: bool = True
    simulated: bool = False


class Trials:
    """Trials of one chain; raise RpcError when its nodes can't be asked."""

    def __init__(self, rpc: RpcPort, tokens: TokenPort, now_ms: int) -> None:
        self._rpc = rpc
        self._view = ChainView(rpc, _LOOK_BACK_BLOCKS[0])
        self._names = TokenNames(tokens, rpc.chain_id)
        self._enricher = Enricher(rpc, self._names)
        self._states = StateQueries(rpc.chain_id, self._enricher)
        self._now_ms = now_ms
        self._shelf = AbiShelf()

    def block(self, number: int | None) -> Trial | None:
        """Of a block, the newest when `number` is None; None when there is no such block."""
        if number is None:
            header: Header | None = self._view.head()[0]
        else:
            header = read_header(self._rpc.call("eth_getBlockByNumber", hex(number), False))
        return None if header is None else Trial(block_data(header), {})

    def event(self, check: EventCheck) -> Trial:
        """Of the newest log of the last blocks that fires the check, else of a sample. A query that
        asks for a state waits for no log: it asks now."""
        head, _ = self._view.head()
        if check.asks_state:
            [(_, _, data, met)] = self._states.asked([(check, head)])
            methods = [call.name for query in check.queries for call in query.method_calls]
            return Trial(data, {"evaluated": {m: data[m] for m in methods if m in data}}, met)
        hit = self._newest(check, head)
        if hit is not None:
            return Trial(self._data(hit), _log_json(hit.log))
        return self._sample(check, head)

    def _newest(self, check: EventCheck, head: Header) -> Hit | None:
        matcher = Matcher([replace(check, cooldown_seconds=0)], decimals=self._names.decimals)
        hits = matcher.match(self._logs(check, head.number), self._now_ms).hits
        return hits[-1] if hits else None

    def _logs(self, check: EventCheck, head: int) -> list[Log]:
        union = union_filter([check]) or {}
        for span in _LOOK_BACK_BLOCKS:
            first = max(0, head - span + 1)
            wanted: dict[str, JsonValue] = {
                **union, "fromBlock": hex(first), "toBlock": hex(head)
            }  # fmt: skip
            try:
                return read_logs(self._rpc.call("eth_getLogs", wanted))
            except RpcError as error:
                if not too_large(error):
                    raise
        return []

    def _sample(self, check: EventCheck, head: Header) -> Trial:
        query = check.queries[0]
        abi = self._shelf.of(query.contract_abi)
        decimals = self._names.lookup(min(query.addresses)).decimals
        log = sample_log(query, abi, head, decimals)
        matcher = Matcher([replace(check, cooldown_seconds=0)], decimals=self._names.decimals)
        met = bool(matcher.match([log], self._now_ms).hits)
        data = self._data(Hit(check, 0, log, abi))
        return Trial(data, {"simulated": True}, met, simulated=True)

    def _data(self, hit: Hit) -> dict[str, JsonValue]:
        number = hit.log.block_number
        headers = self._view.headers([number])
        if number not in headers:
            raise RpcError("the chain's node has not got the block any more", may_retry=True)
        [data] = self._enricher.events([hit], headers)
        return data


def _log_json(log: Log) -> dict[str, JsonValue]:
    return {
        "address": log.address,
        "topics": list(log.topics),
        "data": log.data,
        "blockNumber": log.block_number,
        "blockHash": log.block_hash,
        "transactionHash": log.transaction_hash,
        "transactionIndex": log.transaction_index,
        "logIndex": log.log_index,
        "removed": False,
    }
