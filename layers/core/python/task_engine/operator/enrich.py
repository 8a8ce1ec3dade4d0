"""The data that a trigger gives to its task: of a log, and of a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from task_engine.errors import NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.formatting import apply_decimals, apply_to_fields
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.address import Address
from task_engine.evm.eth_call import RpcRequest, eth_call
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.tokens import TokenMetadata
from task_engine.model.json_value import JsonValue
from task_engine.operator.abi_shelf import read_event
from task_engine.operator.checks import FORMATTING, MethodCall
from task_engine.operator.conditions import Seen
from task_engine.operator.logs import Header, Log
from task_engine.operator.match import Hit
from task_engine.operator.token_names import TokenNames, contracts_fault

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The hash of `Transfer(address,address,uint256)`."""
MAX_DATA_CHARS = 32_768
FACTS = frozenset(
    {
        "blockHash", "blockNumber", "chainId", "contractAddress", "eventName", "fromAddress",
        "logIndex", "toAddress", "topics", "transactionHash",
    }
)  # fmt: skip
"""What the engine holds against the occurrence, and operators for: nothing that a task's owner has
given such a name takes its place."""
_WORD_CHARS = 66


@dataclass(frozen=True, slots=True)
class _Read:
    """A method call of one hit, ready to be made; `function` None = its answer stays bytes."""

    hit: int
    name: str
    request: RpcRequest
    function: AbiFunction | None


class Enricher:
    """Makes the data of hits and blocks of one chain.

    The same log gives the same data to whoever enriches it: reads are made at the log's block.
    """

    def __init__(self, rpc: RpcPort, tokens: TokenNames) -> None:
        self._rpc = rpc
        self._tokens = tokens

    def events(
        self, hits: Sequence[Hit], headers: Mapping[int, Header]
    ) -> list[dict[str, JsonValue]]:
        """The data of each hit; `headers` holds their blocks. All reads go in one round trip.

        Raises RpcError when the node can't be asked; what a contract refuses is null, and a
        `decimals` call of a contract that is no token formats nothing. Events of more than
        MAX_DATA_CHARS are cut, and not decoded.
        """
        answers = self.answers(hits)
        return [
            {**self._event(hit, headers[hit.log.block_number]), **beside_facts(answer)}
            for hit, answer in zip(hits, answers, strict=True)
        ]

    def _event(self, hit: Hit, header: Header) -> dict[str, JsonValue]:
        if is_transfer(hit.log):
            return self._transfer(hit, header, self._tokens.lookup(hit.log.address))
        log = hit.log
        event = read_event(hit.abi, log)
        fields = {} if event is None else self._formatted(hit, event)
        data = log.data
        if len(data) > MAX_DATA_CHARS:
            # A notice must fit into one message of the queue, whatever contracts emit.
            data, fields = data[:MAX_DATA_CHARS], {}
        return {
            **fields,
            "eventName": "" if event is None else event.event.name,
            "contractAddress": Address(log.address),
            "blockNumber": log.block_number,
            "blockHash": log.block_hash,
            "blockTimestamp": header.timestamp * 1000,
            "transactionHash": log.transaction_hash,
            "transactionIndex": log.transaction_index,
            "logIndex": log.log_index,
            "topics": list(log.topics),
            "data": data,
            "removed": False,
            "chainId": self._rpc.chain_id,
        }

    def _transfer(self, hit: Hit, header: Header, token: TokenMetadata) -> dict[str, JsonValue]:
        log, value = hit.log, int(hit.log.data, 16)
        sender, to = ("0x" + topic[-40:] for topic in log.topics[1:3])
        direction, wallet = _direction(hit, sender, to)
        return {
            "eventName": "Transfer",
            "tokenName": token.name,
            "tokenSymbol": token.symbol,
            "tokenDecimals": token.decimals,
            "contractAddress": Address(log.address),
            "transactionHash": log.transaction_hash,
            "blockNumber": log.block_number,
            "blockHash": log.block_hash,
            "blockTimestamp": header.timestamp * 1000,
            "fromAddress": Address(sender),
            "toAddress": Address(to),
            "value": str(value),
            "valueFormatted": _shown(value, token.decimals),
            "direction": direction,
            "walletAddress": wallet,
            "chainId": self._rpc.chain_id,
            "logIndex": log.log_index,
        }

    def _formatted(self, hit: Hit, seen: Seen) -> dict[str, JsonValue]:
        """The decoded fields under the event's name, formatted where a `decimals` call says so."""
        values: dict[str, JsonValue] = {seen.event.name: seen.event.fields}
        for call in hit.query.method_calls:
            if call.name != FORMATTING or not call.fields:
                continue
            token = self._tokens.lookup(hit.log.address)
            if token.found:
                values = _applied(values, call, token.decimals)
        return values

    def answers(self, hits: Sequence[Hit]) -> list[dict[str, JsonValue]]:
        """What the method calls of each hit's query answer at its block, by their names: as
        `events` says."""
        reads = [read for number, hit in enumerate(hits) for read in self._reads(number, hit)]
        found: list[dict[str, JsonValue]] = [{} for _ in hits]
        if not reads:
            return found
        results = self._rpc.batch([read.request for read in reads])
        for read, result in zip(reads, results, strict=True):
            if isinstance(result, RpcError) and not contracts_fault(result):
                raise result
            value = None if isinstance(result, RpcError) else _decoded(read.function, result)
            found[read.hit][read.name] = value
        return found

    def _reads(self, number: int, hit: Hit) -> list[_Read]:
        reads = []
        for call in hit.query.method_calls:
            if call.name == FORMATTING:
                continue
            data, function = _call_of(call, hit.abi)
            if data is not None:
                request = eth_call(hit.log.address, data, block=hex(hit.log.block_number))
                reads.append(_Read(number, call.name, request, function))
        return reads


def beside_facts(answers: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The answers that may stand in the data of an occurrence."""
    return {name: answer for name, answer in answers.items() if name not in FACTS}


def block_data(header: Header) -> dict[str, JsonValue]:
    """The data of a block trigger; `timestamp` in seconds, as chains count."""
    return {
        "blockNumber": header.number,
        "blockHash": header.hash,
        "timestamp": header.timestamp,
        "parentHash": header.parent_hash,
        "difficulty": str(header.difficulty),
        "gasLimit": header.gas_limit,
        "gasUsed": header.gas_used,
    }


def is_transfer(log: Log) -> bool:
    """Whether it is a transfer of an ERC-20 token; those of ERC-721 have a topic more."""
    return log.topics[:1] == (TRANSFER,) and len(log.topics) == 3 and len(log.data) == _WORD_CHARS


def _direction(hit: Hit, sender: str, to: str) -> tuple[str, str]:
    """sent, received or unknown, and the wallet that it is seen from: the one that the query's
    topics name, else the task's."""
    wanted = (*hit.query.topics, None, None, None)
    named = ["0x" + topic[-40:] for topic in wanted[1:3] if topic is not None]
    own = [*named, hit.check.wallet]
    for wallet in own:
        if wallet and wallet == sender:
            return "sent", Address(wallet)
        if wallet and wallet == to:
            return "received", Address(wallet)
    return "unknown", Address(hit.check.wallet) if hit.check.wallet else ""


def _applied(values: dict[str, JsonValue], call: MethodCall, decimals: int) -> dict[str, JsonValue]:
    """A field that can't be formatted stays as it is: the event has happened all the same."""
    for target in call.fields:
        try:
            values = apply_to_fields(values, [target], decimals, keep_raw=True)
        except NodeError:
            continue
    return values


def _shown(value: int, decimals: int) -> str:
    try:
        return apply_decimals(value, decimals)
    except NodeError:
        return str(value)


def _call_of(call: MethodCall, abi: ContractAbi | None) -> tuple[bytes | None, AbiFunction | None]:
    """The call data and the function, as far as the ABI knows it; None for what can't be made."""
    try:
        if call.call_data:
            data = bytes.fromhex(call.call_data.removeprefix("0x"))
            return data, abi.by_selector(data[:4]) if abi else None
        if abi is None:
            return None, None
        function = abi.function_for(call.name, list(call.params))
        return function.encode(list(call.params)), function
    except (NodeError, ValueError):
        return None, None


def _decoded(function: AbiFunction | None, result: JsonValue) -> JsonValue:
    if not isinstance(result, str) or len(result) > MAX_DATA_CHARS:
        return None
    if function is None:
        return result
    try:
        raw = bytes.fromhex(result.removeprefix("0x"))
        return function.named_outputs(function.decode_outputs(raw))
    except (NodeError, ValueError):
        return None
