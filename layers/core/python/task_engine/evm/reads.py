"""Many reads of contracts at one block, in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from task_engine.errors import EngineError, NodeError
from task_engine.evm.abi.contract_abi import ContractAbi
from task_engine.evm.abi.item import AbiFunction
from task_engine.evm.abi.reverts import revert_reason
from task_engine.evm.contract_code import NoContractCode, empty_answer
from task_engine.evm.eth_call import eth_call, lacks_block, quantity, returned
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.model.json_value import JsonValue

Answer: TypeAlias = "JsonValue | RpcError"
Read: TypeAlias = "list[JsonValue] | EngineError"
"""The outputs of one call in JSON, or why there are none."""
_BLOCKS_BACK = 2


@dataclass(frozen=True, slots=True)
class ReadCall:
    """A method of the contract at `to`, with its call data."""

    function: AbiFunction
    to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CallContext:
    """`sender` is msg.sender, "" = the node's default; `until` is monotonic, None = no end;
    `abi` knows the custom errors."""

    chain_id: int
    abi: ContractAbi
    sender: str = ""
    until: float | None = None


def read_contracts(rpc: RpcPort, calls: Sequence[ReadCall], context: CallContext) -> list[Read]:
    """All reads at the same block: its number is asked first, then everything in one batch.

    A call that fails is a value; raises RpcError when nothing could be read at all. A node behind a
    balancer may not have the newest block yet: then the reads are repeated one block earlier.
    """
    [newest] = rpc.batch([("eth_blockNumber", [])], until=context.until)
    head = quantity(newest)
    for back in range(_BLOCKS_BACK + 1):
        block = hex(max(0, head - back))
        requests = [
            eth_call(call.to, call.data, sender=context.sender, block=block) for call in calls
        ]
        answers = rpc.batch(requests, until=context.until)
        if not any(isinstance(a, RpcError) and lacks_block(a) for a in answers):
            break
    absent = _absent(rpc, calls, answers, (block, context.until))
    return [
        _read(call, answer, context, call.to in absent)
        for call, answer in zip(calls, answers, strict=True)
    ]


def _absent(
    rpc: RpcPort,
    calls: Sequence[ReadCall],
    answers: Sequence[Answer],
    asked: tuple[str, float | None],
) -> frozenset[str]:
    """Where no contract is, of the addresses that answered with nothing: only then it matters."""
    block, until = asked
    empty = sorted({call.to for call, a in zip(calls, answers, strict=True) if a == "0x"})
    if not empty:
        return frozenset()
    codes = rpc.batch([("eth_getCode", [address, block]) for address in empty], until=until)
    return frozenset(a for a, code in zip(empty, codes, strict=True) if code == "0x")


def _read(call: ReadCall, answer: Answer, context: CallContext, absent: bool) -> Read:
    name = call.function.name
    if isinstance(answer, RpcError):
        return _failure(name, answer, context.abi)
    if absent:
        return NoContractCode(call.to, context.chain_id, name)
    try:
        data = returned(answer)
        if not data and call.function.outputs:
            return empty_answer(name)
        return call.function.decode_outputs(data)
    except NodeError as error:
        return error


def _failure(name: str, error: RpcError, abi: ContractAbi) -> EngineError:
    if not error.reverted:
        return NodeError(
            f"method {name}: {error.message}", code=error.stable_code, retryable=error.may_retry
        )
    # Some nodes tell a reason in words only.
    told = error.message.removeprefix("execution reverted").strip(" :")
    reason = told if told and not error.data else revert_reason(error.data, abi)
    return NodeError(f"method {name}: {reason}", code="INVALID_REQUEST")
